"""Points kept of a band weigh the spectra of air as the whole grid does, which the choice has never seen."""

from __future__ import annotations

import numpy as np
import pytest

from processors.constants import AVOGADRO, M_DRY
from processors.job import BadInput
from processors.l2 import lines, points, solar, tables
from processors.l2.auxiliary import Auxiliary
from processors.l2.bands import LAYER_EDGES_PA, LAYER_MID_PA, reference_temperature_k, temperature_span_k

TEN_MINUS_FOUR = 1e-4  # of the continuum; the grid itself is as good as that
AIR = {"cold and dry": (-0.5, 0.1, 1000e2), "warm and wet": (0.5, 1.0, 1013e2), "high": (0.0, 0.3, 640e2)}


@pytest.fixture(scope="module")
def unthinned(narrow, l2_kit):
    """Tables of the narrow bands at all points of their grids."""
    data = lines.read_lines(l2_kit.DATA), lines.read_partition_sums(l2_kit.DATA / "partition_sums.csv")
    return [
        [tables.coefficients(t.band, gas, *data) for gas in (t.band.gas, "H2O")] for t in narrow.aux.tables
    ]


def depth(table, gas, h2o, name):
    """Give the vertical optical depth of the layers (layer, point), all points of a grid."""
    warmer, wetter, psurf = AIR[name]
    kelvin = reference_temperature_k(LAYER_MID_PA) + warmer * temperature_span_k(LAYER_MID_PA)
    t, _ = tables.coordinate(kelvin + 3.0 * np.cos(np.arange(kelvin.size)))
    held = np.maximum(np.diff(np.minimum(LAYER_EDGES_PA, psurf)), 0.0)
    air = held / 9.8 / M_DRY * AVOGADRO * 1e-4
    water = 0.02 * wetter * (LAYER_MID_PA / 1e5) ** 3
    amount = air * (0.2095 if table.band.gas == "O2" else 415e-6)
    powers = t[:, None] ** np.arange(5)
    return np.einsum("lkn,lk->ln", gas, powers[:, :4] * amount[:, None]) + np.einsum(
        "lkn,lk->ln", h2o, powers * (air * water)[:, None]
    )


def response(nu, center, fwhm, tilt):
    """Give a response (point) that is no symmetric bell."""
    x = (nu - center) / fwhm
    return np.exp(-4.0 * np.log(2.0) * x**2) * (1.0 + tilt * x + 0.3 * x**4)


def largest_error(table, index, weight, spectra):
    """Give the largest error of what spectels see, over the continuum, when points stand for others."""
    nu, worst = table.band.wavenumber_cm1, 0.0
    fwhm = nu.mean() / 25_000.0
    for center in np.linspace(nu[0] + 3.0 * fwhm, nu[-1] - 3.0 * fwhm, 157):
        seen = response(nu, center, fwhm, 0.2)
        seen[np.abs(nu - center) > 2.7 * fwhm] = 0.0
        found = spectra[:, index] @ (seen[index] * weight) / (seen[index] @ weight)
        worst = max(worst, np.abs(found - spectra @ seen / seen.sum()).max())
    return worst


@pytest.mark.parametrize("name", AIR)
@pytest.mark.parametrize("b", range(4))
def test_points_stand_for_the_grid(narrow, unthinned, b, name):
    """Direct and scattered light and what the top of the air and the middle of it take away."""
    table, (gas, h2o) = narrow.aux.tables[b], unthinned[b]
    nu = table.band.wavenumber_cm1
    sun = solar.tabulate(narrow.aux.sun, nu).seen(nu, 450.0, 1.0)
    layers = depth(table, gas, h2o, name)
    down = np.cumsum(layers, axis=0)
    through = np.exp(-2.9 * down[-1])
    spectra = np.array([
        through, np.exp(-4.6 * down[-1]), np.exp(-2.9 * down[12]), np.exp(-2.2 * down[5] - 1.4 * down[-1]),
        through * np.minimum(2.9 * down[1], 1.0), through * np.minimum(2.9 * layers[14], 1.0),
    ])  # fmt: skip
    spectra = np.concatenate([spectra, spectra * sun / sun.max()])
    assert largest_error(table, table.index, table.weight, spectra) < TEN_MINUS_FOUR
    every = np.arange(0, nu.size, 2)  # or it would be no feat
    assert largest_error(table, every, np.full(every.size, 2.0), spectra) > 3.0 * TEN_MINUS_FOUR


SHAPES = {
    "half as wide": lambda x: np.exp(-16.0 * np.log(2.0) * x**2),
    "triangle": lambda x: np.maximum(1.0 - np.abs(x), 0.0),
    "flat top": lambda x: np.exp(-np.log(2.0) * (2.0 * x) ** 8),
    "no number": lambda x: np.where(np.abs(x) < 0.01, np.nan, np.exp(-4.0 * np.log(2.0) * x**2)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("b", range(4))
def test_a_response_that_the_points_do_not_tell_is_refused(narrow, l2_kit, shape, b):
    """What it sees would be wrong by up to 1e-2 of the continuum; that of the mission is taken."""
    narrow.aux.response(b, 2)
    isrf = l2_kit.gaussian_isrf()
    width = isrf["isrf_offset"][:, -1:] / 2.5
    isrf["isrf"] = np.broadcast_to(
        SHAPES[shape](isrf["isrf_offset"] / width)[:, None, None, :], isrf["isrf"].shape
    )
    fields = {name: getattr(narrow.aux, name) for name in ("tables", "sun", "cia", "airglow", "optics")}
    with pytest.raises(BadInput, match=f"isrf of B{b + 1}, field of view 1: expected "):
        Auxiliary(**fields, ckd={"isrf": isrf}).response(b, 1)


def test_light_that_is_no_number_is_refused_and_lines_that_do_not_shine_are_left_out(narrow, unthinned):
    band, (gas, h2o) = narrow.aux.tables[3].band, unthinned[3]
    size = band.wavenumber_cm1.size
    suns = np.ones((points.SUNS_M_S.size, size))
    index, weight = points.choose(band, gas, h2o, suns, np.zeros((1, size)))
    assert index.size < 0.6 * size
    assert weight.sum() == pytest.approx(size, rel=1e-3)
    with pytest.raises(ValueError, match="B4: spectra to choose points by: expected numbers"):
        points.choose(band, gas, h2o, np.nan * suns, np.zeros((0, size)))


def test_points_are_few_and_stand_for_all(narrow):
    share = []
    for table in narrow.aux.tables:
        size = table.band.wavenumber_cm1.size
        assert np.all(np.diff(table.index) > 0)
        assert np.all(table.weight > 0.0)
        assert table.weight.sum() == pytest.approx(size, rel=1e-4)
        share.append(table.index.size / size)
    assert 0.3 < np.mean(share) < 0.6


def test_a_stretch_without_a_solution_keeps_all_its_points(monkeypatch):
    def failing(*_arguments, **_options):
        raise RuntimeError("too many iterations")

    monkeypatch.setattr("scipy.optimize.nnls", failing)
    np.testing.assert_array_equal(points._weights(np.random.default_rng(3).random((9, 12))), np.ones(12))


@pytest.mark.parametrize("size", [1, 2, 5, 32])
def test_short_stretches_have_weights_as_well(size):
    """The sum of the weights is that of the points, whatever the length of the last stretch."""
    spectra = np.exp(-np.random.default_rng(size).random((20, 1)) * np.linspace(0.0, 1.0, size))
    assert points._weights(spectra).sum() == pytest.approx(size, rel=1e-3)
