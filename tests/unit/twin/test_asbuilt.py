"""As-built instrument: its figures come out as the mission tables give them."""

import numpy as np
import pytest
import yaml
from scipy.ndimage import convolve1d

from twin.instrument import asbuilt, isrf

FWHM_NM = (0.0299, 0.0623, 0.0787, 0.0492)  # B1..B4, mean wavelength / mean resolving power
RANGE_NM = ((758.3, 768.8), (1596.7, 1618.9), (2023.0, 2051.0), (1264.0, 1282.2))  # CNES
MEAN_RADIANCE = (2.15e20, 8.7e19, 5.2e19, 1.31e20)  # ph s-1 m-2 sr-1 um-1
MEAN_ELECTRONS = (9.02e4, 1.28e5, 3.93e4, 1.52e5)
per_mille = 1e-3


@pytest.fixture(scope="module")
def instrument():
    return asbuilt.load("microcarb")


@pytest.fixture(scope="module")
def figures():
    return yaml.safe_load((asbuilt.DATA / "microcarb.yaml").read_text())


def full_width_half_maximum(offset, response):
    above = offset[response >= response.max() / 2]
    left, right = np.searchsorted(offset, [above[0], above[-1]])
    low = np.interp(response.max() / 2, response[left - 1 : left + 1], offset[left - 1 : left + 1])
    high = np.interp(-response.max() / 2, -response[right : right + 2], offset[right : right + 2])
    return high - low


@pytest.mark.parametrize("band", range(4))
def test_isrf_has_the_published_width_and_unit_integral(instrument, band):
    widths = [
        full_width_half_maximum(instrument.isrf_offset[band], row)
        for row in instrument.isrf[band].reshape(15, -1)
    ]
    five_percent = 0.05
    assert np.mean(widths) == pytest.approx(FWHM_NM[band], rel=0.01)
    assert np.all(np.abs(np.array(widths) / FWHM_NM[band] - 1) < five_percent)
    assert np.ptp(widths) / FWHM_NM[band] > 0.02  # it varies along the band
    area = np.trapezoid(instrument.isrf[band], x=instrument.isrf_offset[band], axis=-1)
    assert area == pytest.approx(np.ones((3, 5)), abs=1e-12)


def test_isrf_table_ends_where_nothing_is_left(instrument):
    peak = instrument.isrf.max(axis=-1)
    nothing = 1e-8
    assert np.all(instrument.isrf[..., 0] < nothing * peak)
    assert np.all(instrument.isrf[..., -1] < nothing * peak)


def test_response_is_the_numerical_convolution_of_slit_gaussian_and_pixel():
    slit, pixel, sigma, step = 0.024, 0.010, 0.008, 2e-5  # nm
    x = np.arange(-5000, 5001) * step
    gaussian = np.exp(-0.5 * (x / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    for width in (slit, pixel):
        box = np.ones(round(width / step) + 1)
        box[[0, -1]] = 0.5
        gaussian = convolve1d(gaussian, box * step / width, mode="constant")
    closed_form = isrf.response(x, slit, pixel, sigma)
    assert np.max(np.abs(closed_form - gaussian)) < 1e-5 * closed_form.max()


def test_wavelengths_span_the_published_ranges(instrument):
    s = np.array([-512, 511 + 1]) - 0.0  # outer edges of the outer spectels, s = spectel - 511.5
    for band, edges in enumerate(RANGE_NM):
        c0, c1, c2 = instrument.dispersion[band, 1]
        twentieth_of_a_spectel = 0.05 * c1
        assert c0 + c1 * s + c2 * s**2 == pytest.approx(edges, abs=twentieth_of_a_spectel)


def test_smile_is_a_tenth_of_a_spectel(instrument):
    shift = instrument.dispersion[:, :, 0] - instrument.dispersion[:, 1:2, 0]
    spectels = shift / instrument.dispersion[:, :, 1]
    assert spectels == pytest.approx(np.tile([0.10, 0.0, 0.08], (4, 1)), abs=1e-6)


@pytest.mark.parametrize("band", range(4))
def test_throughput_factors_give_the_mean_electrons(instrument, figures, band):
    per_radiance = asbuilt.throughput(figures, asbuilt.spectel_width(figures["spectral"]))[band]
    assert per_radiance * MEAN_RADIANCE[band] == pytest.approx(MEAN_ELECTRONS[band], rel=per_mille)
    assert instrument.responsivity[band].mean() == pytest.approx(per_radiance, rel=per_mille)


def test_pixel_patterns_have_their_sizes(instrument):
    assert instrument.prnu.std() == pytest.approx(0.01, rel=0.01)
    assert instrument.prnu.mean(axis=(2, 3)) == pytest.approx(np.ones((4, 3)), abs=1e-12)
    assert instrument.dark_rate.mean() == pytest.approx(50.0, rel=0.01)
    assert instrument.nonlinearity.mean() == pytest.approx(0.01, rel=0.02)
    assert (instrument.rows, instrument.spectels, instrument.full_scale_dn) == (40, 1024, 16383)


def test_field_of_view_one_lies_left_of_flight(instrument):
    left, centre, right = instrument.line_of_sight
    assert centre == pytest.approx([0, 0, 1])
    assert left[1] < 0 < right[1]
    assert right[1] == pytest.approx(4500 / 648_900, rel=1e-4)
    assert np.all(instrument.corner_line_of_sight[:, 0, 1] < instrument.corner_line_of_sight[:, 1, 1])
    assert instrument.corner_line_of_sight[0, 1] == pytest.approx(instrument.corner_line_of_sight[1, 0])


def test_the_same_name_gives_the_same_instrument(instrument):
    again = asbuilt.load("microcarb")
    assert np.array_equal(again.prnu, instrument.prnu)
    assert np.array_equal(again.dark_rate, instrument.dark_rate)


def test_an_unknown_instrument_names_the_known_ones():
    with pytest.raises(ValueError, match="expected one of microcarb"):
        asbuilt.load("oco2")


def test_an_unknown_figure_is_refused(figures):
    with pytest.raises(ValueError, match=r"detector: unknown key 'prnuu'"):
        asbuilt.build({**figures, "detector": {**figures["detector"], "prnuu": 0.01}})
