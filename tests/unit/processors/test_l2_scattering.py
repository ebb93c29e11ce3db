"""Scattered light of L2 against closed forms, published tables, reciprocity, and its own differences."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import special

from processors.l2 import (
    atmosphere,
    diffuse,
    forward,
    nodes,
    particles,
    scattered,
    scattering,
    solar,
    surface,
)
from processors.l2.scattering import MOMENTS, MU, WEIGHT
from processors.l2.state import Options

rounding = 1e-12
one_per_mille = 1e-3
one_percent = 1e-2
MANY = 25  # orders: nothing is left
GEOMETRIES = [
    (0.0, 0.0, 0.0),
    (30.0, 10.0, 60.0),
    (60.0, 30.0, 180.0),
    (75.0, 60.0, 0.0),
    (70.0, 55.0, 120.0),
]


@dataclass(frozen=True)
class Slab:
    """Depth (layer, point); (2k+1) beta_k and phase function times scattering depth; albedo (point)."""

    tau: np.ndarray
    c: np.ndarray  # (layer, moment, point)
    phase: np.ndarray  # (layer, point)
    albedo: np.ndarray


@dataclass(frozen=True)
class Seen:
    """Light scattered once and the other (point), with their derivatives as scattering gives them."""

    once: np.ndarray
    other: np.ndarray
    once_by_tau: np.ndarray
    once_by_phase: np.ndarray
    by_tau: np.ndarray
    by_c: np.ndarray
    by_albedo: np.ndarray


def look(slab: Slab, sza, vza, raa, count=MANY, sky=None, kind=np.float64) -> Seen:
    """Call both kernels in a plane-parallel atmosphere."""
    toward = diffuse.directions(sza, vza, raa, surface.lambertian_sky() if sky is None else sky)
    tau, c, phase, albedo = (np.asarray(a, kind) for a in (slab.tau, slab.c, slab.phase, slab.albedo))
    mu0, mu = np.cos(np.radians([sza, vza]))
    sun, view = (np.full(len(tau), 1.0 / m, kind) for m in (mu0, mu))
    once, other = np.zeros((2, albedo.size), kind)
    by_ground = np.zeros((2, albedo.size), kind)
    once_by_tau, once_by_phase, by_tau = np.zeros((3, *tau.shape), kind)
    by_c = np.zeros_like(c)
    scattering.single_scattering(tau, phase, sun + view, view, once, once_by_tau, once_by_phase)
    legs, streams, weight = (a.astype(kind) for a in (diffuse.LEGS, MU, WEIGHT))
    p_sun, p_view, azimuth, mu0, sky, by_shape = (a[0] for a in diffuse.stacked([toward], kind))
    scattering.diffuse_light(
        tau, c, legs, p_sun, p_view, azimuth, streams, weight, sun, view, mu0, albedo, sky, by_shape, count,
        True, other, by_tau, by_c, by_ground,
    )  # fmt: skip
    return Seen(once, other, once_by_tau, once_by_phase, by_tau, by_c, by_ground[0])


def rayleigh(
    depth, sza, vza, raa, layers=20, albedo=0.0, single_albedo=1.0, absorbed=(0.0,), gamma=0.0
) -> Slab:
    """A layer of air; phase function 3/4 (1 + cos^2) unless depolarised."""
    mu0, mu = np.cos(np.radians([sza, vza]))
    cosine = -mu0 * mu - np.sqrt((1 - mu0**2) * (1 - mu**2)) * np.cos(np.radians(raa))
    two = 0.1 * (1.0 - gamma) / (1.0 + 2.0 * gamma)
    scattered = np.full((layers, len(absorbed)), single_albedo * depth / layers)
    share = np.linspace(0.5, 1.5, layers)[:, None] / layers
    tau = scattered / single_albedo + share * np.array(absorbed)
    c = np.zeros((layers, MOMENTS, len(absorbed)))
    c[:, 0], c[:, 2] = scattered, 5.0 * two * scattered
    phase = scattered * (1.0 + 5.0 * two * 0.5 * (3.0 * cosine**2 - 1.0))
    return Slab(tau, c, phase, np.full(len(absorbed), albedo))


def haze(depth, g, sza, vza, raa, layers=20, albedo=0.0, single_albedo=1.0) -> Slab:
    """A layer of Henyey-Greenstein particles, as diffuse.species cuts off their forward peak."""
    toward = diffuse.directions(sza, vza, raa, surface.lambertian_sky())
    moments, scalars = diffuse.species(*np.array([[1.0], [single_albedo], [g]]), toward.cos_scattering)
    each = np.full((layers, 1), depth / layers)
    return Slab(
        each * scalars[1, 0], each[:, None] * moments[1][:, None], each * scalars[1, 1], np.array([albedo])
    )


def exact_means(x: float) -> list[float]:
    """Give exp(-x), its two means and their slopes in 60 digits, phi = sum (-x)^n/(n+1)!."""
    with localcontext() as context:
        context.prec = 60
        v, phi, psi, dphi, dpsi = Decimal(float(x)), *[Decimal(0)] * 4
        power, factorial = Decimal(1), Decimal(1)
        for n in range(200):  # power (-x)^n, factorial n!
            phi += power / (factorial * (n + 1))
            psi += power / (factorial * (n + 1) * (n + 2))
            dphi -= power * (n + 1) / (factorial * (n + 1) * (n + 2))
            dpsi -= power * (n + 1) / (factorial * (n + 1) * (n + 2) * (n + 3))
            factorial *= n + 1
            power *= -v
        return [float(value) for value in ((-v).exp(), phi, psi, dphi, dpsi)]


@pytest.mark.parametrize(
    ("kind", "relative"),
    # near 0.5 the closed forms lose digits to differences, the series to its end
    [(np.float32, (2e-7, 2e-7, 6e-7, 1.2e-6, 1e-5)), (np.float64, (1e-15, 2e-8, 2e-8, 5e-7, 3e-6))],
)
def test_means_of_a_layer(kind, relative):
    """t, phi, psi, dphi, dpsi over all depths from 1e-6 to 30."""
    x = np.concatenate([np.geomspace(1e-6, 30.0, 400), np.linspace(0.4, 0.6, 41)]).astype(kind)
    found = np.empty((5, x.size), kind)
    scattering.means(x, *found)
    expected = np.array([exact_means(v) for v in x]).T
    for name, one, other, allowed in zip(
        ["t", "phi", "psi", "dphi", "dpsi"], found, expected, relative, strict=True
    ):
        error = np.abs(one / other - 1.0)
        assert error.max() < allowed, (name, x[error.argmax()], error.max())


@pytest.mark.parametrize("order", range(scattering.AZIMUTHS))
def test_legendre_functions_are_those_of_scipy(order):
    """sqrt((k-m)!/(k+m)!) P_k^m without the phase (-1)^m of Condon and Shortley."""
    mu = np.array([0.0, 0.03, 0.4, 0.77, 1.0])
    found = scattering.legendre(order, mu)
    for k in range(MOMENTS):
        norm = np.sqrt(special.factorial(max(k - order, 0)) / special.factorial(k + order))
        expected = (-1.0) ** order * norm * special.lpmv(order, k, mu)
        np.testing.assert_allclose(found[k], expected, atol=rounding)


def test_azimuthal_parts_add_up_to_the_phase_function():
    """sum (2 - delta) sum (2k+1) beta_k P P cos(m phi): of air the whole, at any two directions."""
    up, down, phi = 0.8, -0.6, 1.1
    toward = diffuse.directions(30.0, 30.0, 0.0, surface.lambertian_sky())
    moments, _ = diffuse.species(*np.zeros((3, 0)), toward.cos_scattering)
    total = 0.0
    for m in range(3):
        one, other = scattering.legendre(m, up)[:, 0], scattering.legendre(m, -down)[:, 0]
        sign = (-1.0) ** (np.arange(MOMENTS) + m)
        total += (1.0 if m == 0 else 2.0) * np.cos(m * phi) * np.sum(moments[0] * one * other * sign)
    angle = up * down + np.sqrt((1 - up**2) * (1 - down**2)) * np.cos(phi)
    assert total == pytest.approx(scattering.rayleigh_phase(angle), abs=rounding)


@pytest.mark.parametrize(("sza", "vza", "raa"), GEOMETRIES)
def test_one_layer_scatters_once_by_the_closed_form(sza, vza, raa):
    """P/(4 pi) omega mu0/(mu0 + mu) (1 - exp(-tau (1/mu0 + 1/mu))) per irradiance, however it is cut."""
    mu0, mu = np.cos(np.radians([sza, vza]))
    for layers in (1, 7):
        slab = rayleigh(0.3, sza, vza, raa, layers, single_albedo=0.7)
        phase = slab.phase.sum() / (0.7 * 0.3)
        expected = 0.7 * phase / (4 * np.pi) * mu0 / (mu0 + mu) * (1 - np.exp(-0.3 * (1 / mu0 + 1 / mu)))
        assert look(slab, sza, vza, raa).once[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("what", ["air", "haze"])
@pytest.mark.parametrize("ground", ["lambertian", "land"])
@pytest.mark.parametrize(("sza", "vza", "raa"), GEOMETRIES)
def test_sun_and_sensor_can_change_places(sza, vza, raa, what, ground):
    """L/(F mu0) is the same both ways over a ground that is itself reciprocal."""
    make = rayleigh if what == "air" else lambda depth, *a, **k: haze(depth, 0.7, *a, **k)
    sky = surface.land_sky(sza, vza, raa) if ground == "land" else surface.lambertian_sky()
    back = sky.copy()  # the beams' rows change places too
    back[:, [-2, -1]] = back[:, [-1, -2]]
    back[:, :, [-2, -1]] = back[:, :, [-1, -2]]
    here = look(make(0.2, sza, vza, raa, albedo=0.3), sza, vza, raa, 9, sky)
    there = look(make(0.2, vza, sza, raa, albedo=0.3), vza, sza, raa, 9, back)
    mu0, mu = np.cos(np.radians([sza, vza]))
    np.testing.assert_allclose(here.once / mu0, there.once / mu, rtol=rounding)
    np.testing.assert_allclose(here.other / mu0, there.other / mu, rtol=1e-5)


def differences(slab: Slab, geometry, name: str, at: tuple, step: float) -> np.ndarray:
    """Differentiate (once, other) by one entry of a slab's array."""
    ends = []
    for sign in (1.0, -1.0):
        moved = getattr(slab, name).copy()
        moved[at] += sign * step
        seen = look(replace(slab, **{name: moved}), *geometry)
        ends.append(np.array([seen.once, seen.other]))
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("geometry", [(30.0, 10.0, 60.0), (75.0, 60.0, 0.0)])
@pytest.mark.parametrize("what", ["air", "haze"])
def test_derivatives_of_scattered_light(geometry, what):
    """By depth, by each moment that scatters, by the phase and by the albedo, in every layer."""
    of_the_largest = 1e-6
    slab = rayleigh(0.3, *geometry, 4, 0.3, absorbed=(0.0, 1.0))
    if what == "haze":
        slab = haze(0.4, 0.7, *geometry, 4, 0.3)
    seen = look(slab, *geometry)
    for l in range(4):
        once, other = differences(slab, geometry, "tau", (l, slice(None)), 1e-5)
        assert np.abs(once - seen.once_by_tau[l]).max() < of_the_largest * np.abs(seen.once_by_tau).max()
        assert np.abs(other - seen.by_tau[l]).max() < of_the_largest * np.abs(seen.by_tau).max()
        once, _ = differences(slab, geometry, "phase", (l, slice(None)), 1e-4)
        np.testing.assert_allclose(seen.once_by_phase[l], once, rtol=1e-8)
        for k in (0, 1, 2, 5, 7):
            _, other = differences(slab, geometry, "c", (l, k, slice(None)), 1e-5)
            assert np.abs(other - seen.by_c[l, k]).max() < of_the_largest * np.abs(seen.by_c).max()
    _, other = differences(slab, geometry, "albedo", (slice(None),), 1e-4)
    np.testing.assert_allclose(seen.by_albedo, other, rtol=1e-6)


@pytest.mark.parametrize(
    ("depth", "albedo", "published"),
    [(0.2, 0.5, (2.11501e-2, 7.86713e-3)), (0.2, 1.0, (4.87120e-2, 1.89387e-2))],
)
def test_rayleigh_layer_follows_sweigart(depth, albedo, published):
    """Sweigart (1970), table 1, as in DISORT's test problem 2: Sun at cosine 0.080442 ahead, flux pi."""
    sza = np.degrees(np.arccos(0.080442))
    for cosine, expected in zip((0.538263, 0.981986), published, strict=True):
        vza = np.degrees(np.arccos(cosine))
        seen = look(rayleigh(depth, sza, vza, 180.0, 60, single_albedo=albedo), sza, vza, 180.0)
        assert np.pi * (seen.once + seen.other)[0] == pytest.approx(expected, rel=one_per_mille)


def test_haze_follows_van_de_hulst():
    """Depth 1, g = 0.75, Sun overhead: van de Hulst (1980), table 37, at cosine 0.5, flux pi.

    Twelve streams of this quadrature and 60 layers of constant source leave 0.6 %.
    """
    seen = look(haze(1.0, 0.75, 0.0, 60.0, 0.0, 60), 0.0, 60.0, 0.0)
    assert np.pi * (seen.once + seen.other)[0] == pytest.approx(0.101103, rel=one_percent)


@pytest.mark.parametrize("sza", [0.0, 30.0, 60.0])
@pytest.mark.parametrize(("depth", "g", "allowed"), [(0.1, None, 5e-5), (0.3, 0.3, 5e-5), (0.3, 0.7, 4e-3)])
def test_nothing_is_lost_over_a_white_ground(sza, depth, g, allowed):
    """Without absorption all light leaves, mu0 per irradiance; not all that delta-M cuts off is put back."""
    node, weight = np.polynomial.legendre.leggauss(24)
    mu = 0.5 + 0.5 * node
    mu0, out = np.cos(np.radians(sza)), 0.0
    for cosine, share in zip(mu, np.pi * weight * mu, strict=True):  # 2 pi mu dmu
        vza = np.degrees(np.arccos(cosine))
        for raa in (22.5, 67.5, 112.5, 157.5):  # azimuthal components 1 to 7 cancel
            geometry = (sza, vza, raa)
            slab = rayleigh(depth, *geometry, 20, 1.0) if g is None else haze(depth, g, *geometry, 20, 1.0)
            seen = look(slab, *geometry, 60)
            direct = mu0 / np.pi * np.exp(-slab.tau.sum() * (1 / mu0 + 1 / cosine))
            out += 0.25 * share * ((seen.once + seen.other)[0] + direct)
    assert out == pytest.approx(mu0, rel=allowed)


@pytest.mark.parametrize("particulate", [False, True])
@pytest.mark.parametrize(("sza", "vza", "raa"), GEOMETRIES)
def test_orders_followed_leave_little(sza, vza, raa, particulate):
    """The last order stands for the rest; in units of the light of a white ground."""
    allowed = {False: 2e-5, True: 2e-5}[particulate]
    slab = rayleigh(0.026, sza, vza, raa, 10, 0.6)
    if particulate:
        slab = haze(0.3, 0.75, sza, vza, raa, 10, 0.6)
    few, many = (look(slab, sza, vza, raa, n).other for n in (diffuse.ORDERS[particulate], 60))
    assert np.abs(few - many).max() < allowed * np.cos(np.radians(sza)) / np.pi


@pytest.mark.parametrize(("sza", "vza", "raa"), GEOMETRIES)
def test_single_precision_of_the_kernels(sza, vza, raa):
    """Light to 1e-6 of a white ground's, derivatives to 1e-5 of their maximum."""
    slab = haze(0.3, 0.75, sza, vza, raa, 12, 0.3)
    one, two = (look(slab, sza, vza, raa, 7, None, kind) for kind in (np.float32, np.float64))
    assert np.abs(one.other + one.once - two.other - two.once).max() < 1e-6 * np.cos(np.radians(sza)) / np.pi
    for name in ("once_by_tau", "once_by_phase", "by_tau", "by_c", "by_albedo"):
        a, b = getattr(one, name), getattr(two, name)
        assert np.abs(a - b).max() < 1e-5 * np.abs(b).max(), name


def test_streams_integrate_the_half_sphere():
    """2 int mu^(n + 1) dmu = 2/(n + 2), exact for the polynomials Gauss points can do."""
    for n in range(5):
        assert 2.0 * np.sum(WEIGHT * MU ** (n + 1)) == pytest.approx(2.0 / (n + 2), rel=rounding)
    widths = np.diff(scattering.EDGES**2)
    assert widths.sum() == pytest.approx(1.0, rel=rounding)
    assert np.all((scattering.EDGES[:-1] ** 2 < MU) & (scattering.EDGES[1:] ** 2 > MU))


def light_at(model, b: int, x: np.ndarray, index: np.ndarray | None) -> np.ndarray:
    """Return what scatters a band's light: coefficients of its functions, or light itself at some points."""
    batch = model._batch([0], [x], False)
    if index is None:
        return model._scattered[b].coefficients(batch.members, *model._at_nodes(batch)[b])[0][0]
    band, there = model.bands[b], copy(model)
    tables = [np.ascontiguousarray(t[:, :, index]) for t in (band.gas, band.h2o)]
    there.bands = list(model.bands)
    there.bands[b] = replace(
        band, nodes=nodes.Nodes(band.nodes.functions, index, *tables, band.coordinate[index])
    )
    there._groups, toward = [[b]], forward._directions(model.setups[0])
    there._nodes = [scattered.NodeLight([there.bands[b]], [toward])]
    return there._at_nodes(batch)[b][0][0]


@pytest.mark.parametrize(
    ("options", "allowed"),
    [(Options(particles=()), 2e-4), (Options(), 6e-4)],
    ids=["clear", "full"],
)
@pytest.mark.parametrize(
    ("glint", "sza", "vza"), [(False, 30.0, 10.0), (False, 60.0, 40.0), (True, 45.0, 40.0)]
)
def test_functions_carry_light_to_points_that_are_no_nodes(narrow, l2_kit, glint, sza, vza, options, allowed):
    """Every 17th point of the bands at the prior, in units of the light of a ground of reflectance 0.3."""
    model = narrow.model(l2_kit.Case(glint, sza, vza, 180.0 if glint else 60.0), options, np.float64)
    x = model.state.x_a
    for b, band in enumerate(model.bands):
        index = np.arange(3, band.points, 17)
        coefficients = light_at(model, b, x, None)
        functions = model._scattered[b].functions[0][: coefficients.size, index].T
        carried = functions @ coefficients / model.setups[0].bands[b].sun[index]
        expected = light_at(model, b, x, index)
        error = np.abs(carried - expected).max() / (0.3 * np.cos(np.radians(sza)) / np.pi)
        assert error < allowed, (b, error)
        assert expected.max() / expected.min() > 2.0  # or there was nothing to carry


@pytest.mark.parametrize("psurf", [101_300.0, 93_305.0, 60_000.0])
@pytest.mark.parametrize(("height", "width"), [(0.85, 0.08), (0.22, 0.04), (0.02, 0.04), (1.05, 0.08)])
def test_particles_are_shared_among_the_layers(psurf, height, width):
    """All of them lie between top and ground; slopes are those of the shares."""
    one_in_a_million = 1e-6
    share, by_height, by_psurf = particles.profile(psurf, height, width)
    assert share.sum() == pytest.approx(1.0, abs=rounding)
    assert np.all(share >= 0.0)
    for slope, step, per in ((by_height, (0.0, 1e-5), 1e-5), (by_psurf, (1.0, 0.0), 0.01)):
        high, low = (particles.profile(psurf + s * step[0], height + s * step[1], width)[0] for s in (1, -1))
        difference = (high - low) / (2.0 * per)
        assert np.abs(slope - difference).max() < one_in_a_million * np.abs(slope).max()


def test_particles_lie_where_they_should():
    """Mean and spread of a layer well inside the air, in p/p_s; layers are 3 to 7 % thick."""
    share = particles.profile(101_300.0, 0.6, 0.08)[0]
    middle = particles.LAYER_EDGES_PA[1:] + particles.LAYER_EDGES_PA[:-1]
    x = 0.5 * middle / 101_300.0
    assert share @ x == pytest.approx(0.6, abs=0.002)
    assert np.sqrt(share @ (x - 0.6) ** 2) == pytest.approx(0.08, rel=0.05)


@pytest.mark.parametrize("b", range(4))
@pytest.mark.parametrize("recession", [-1000.0, 0.0, 600.0, 8000.0])
def test_tabulated_sun_is_the_sun(narrow, b, recession):
    """To 1e-6 at rest; the continuum is shifted with the lines, so its level changes by some v/c."""
    table, sun = narrow.aux.tables[b], narrow.aux.sun
    nu = table.band.wavenumber_cm1
    some = 8.0 * abs(recession) / 299_792_458.0
    found = solar.tabulate(sun, nu).seen(table.wavenumber_cm1, recession, 1.01)
    expected = solar.photon_irradiance(sun, nu, recession, 1.01)[table.index]
    assert np.abs(found - expected).max() < (1e-6 + some) * expected.max()
    at_rest = solar.photon_irradiance(sun, nu, 0.0, 1.01)[table.index]
    assert recession == 0.0 or np.abs(at_rest - expected).max() > 10.0 * some * expected.max()


@pytest.mark.parametrize("psurf", [101_300.0, 93_310.0, 93_290.0, 60_000.0])
def test_slopes_of_the_layers(l2_kit, psurf):
    """By surface pressure and each factor of humidity, in differences ten times as wide as those inside."""
    one_in_100_000 = 1e-5
    meteo, shift = atmosphere.meteo(l2_kit.forecast(l2_kit.Case()), 20.0), np.linspace(-2.0, 3.0, 6)
    water = np.array([0.9, 1.2])
    here = atmosphere.layers(meteo, psurf, shift, water)
    slopes = atmosphere.slopes(meteo, psurf, shift, water, here)
    high, low = (atmosphere.layers(meteo, psurf + step, shift, water) for step in (1.0, -1.0))  # Pa
    pairs = [
        (slopes.by_psurf[row], (high.amount[row] - low.amount[row]) / 0.02) for row in range(len(here.amount))
    ]
    for k, step in enumerate(1e-3 * np.eye(2)):
        wet, dry = (atmosphere.layers(meteo, psurf, shift, water + way * step) for way in (1.0, -1.0))
        pairs += [(slopes.by_h2o[k, row], (wet.amount[row] - dry.amount[row]) / 2e-3) for row in range(4)]
    pairs.append((slopes.co2_map_by_psurf, (high.co2_map - low.co2_map) / 0.02))
    pairs.append((slopes.bottom_weight_by_psurf, (high.bottom_weight - low.bottom_weight) / 0.02))
    for found, expected in pairs:
        assert np.abs(found - expected).max() <= one_in_100_000 * np.abs(expected).max()
    assert slopes.by_h2o[0].any()
    assert np.all(slopes.by_h2o[:, atmosphere.TEMPERATURE] == 0.0)


def test_factors_of_humidity_are_linear_between_their_pressures(l2_kit):
    """Above 600 hPa the first alone counts, at the ground the second; together they scale all water."""
    meteo = atmosphere.meteo(l2_kit.forecast(l2_kit.Case()), 20.0)
    water = [
        atmosphere.layers(meteo, 101_300.0, np.zeros(6), np.array(factors)).amount[atmosphere.H2O]
        for factors in ((1.0, 1.0), (1.3, 1.0), (1.0, 1.3), (1.3, 1.3))
    ]
    share = [w / water[0] - 1.0 for w in water[1:]]
    middle = atmosphere.LAYER_MID_PA
    np.testing.assert_allclose(share[0][middle < 55_000.0], 0.3, rtol=1e-9)
    np.testing.assert_allclose(share[1][middle < 55_000.0], 0.0, atol=1e-9)
    np.testing.assert_allclose(share[2], 0.3, rtol=1e-9)
    k = int(np.abs(middle - 80_000.0).argmin())
    assert share[0][k] == pytest.approx(0.3 * (100_000.0 - middle[k]) / 40_000.0, abs=0.005)


def test_temperature_shifts_move_the_layers_as_their_map_says(l2_kit):
    meteo = atmosphere.meteo(l2_kit.forecast(l2_kit.Case()), 20.0)
    here = atmosphere.layers(meteo, 101_300.0, np.zeros(6), np.ones(2))
    for k in range(6):
        moved = atmosphere.layers(meteo, 101_300.0, np.eye(6)[k], np.ones(2))
        change = (moved.amount - here.amount)[atmosphere.TEMPERATURE]
        np.testing.assert_allclose(change, here.shift_map[:, k], atol=1e-9)
    assert here.shift_map.sum(axis=1) == pytest.approx(1.0)
