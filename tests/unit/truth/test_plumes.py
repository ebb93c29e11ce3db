import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erf

from truth import atmosphere, plumes
from truth.config import Source, TruthConfig
from truth.constants import EARTH_MEAN_RADIUS
from truth.footprint import sub_samples

KM_PER_DEGREE = np.radians(EARTH_MEAN_RADIUS / 1e3)
G, P_S = 9.80665, 100_000.0
DRY_AIR = np.array([P_S / G / 28.9647e-3])  # mol m-2 over 1000 hPa
SPREAD_B = 156.0
HOUR = np.array([1.78e9])
ONE_PERCENT = 0.01


def config(emission: float = 10.0, extent: float = 0.0, **more) -> TruthConfig:
    source = Source("chimney", 0.0, 0.0, emission, extent)
    return TruthConfig(**({"plumes": "steady", "sources": (source,), "wind_speed": 5.0} | more))


def samples(start_km, length_km, width_km, aside_km=0.0, turn_deg=0.0, **counts):
    """Build a footprint on the equator, its long side along the wind from start_km east of the source."""
    x = np.array([start_km, start_km, start_km + length_km, start_km + length_km])
    y = aside_km + width_km / 2.0 * np.array([1, -1, -1, 1])
    turn = np.radians(turn_deg)
    middle = start_km + length_km / 2.0
    along, left = x - middle, y
    east = middle + along * np.cos(turn) - left * np.sin(turn)
    north = along * np.sin(turn) + left * np.cos(turn)
    return sub_samples(north[np.newaxis] / KM_PER_DEGREE, east[np.newaxis] / KM_PER_DEGREE, **counts)


def mean_ppm(cells, setup, seed=1, time_s=HOUR):
    return float(np.sum(cells.weight * plumes.enhancement(cells, DRY_AIR, time_s, setup, seed)))


def sigma_km(x_km):
    return SPREAD_B / 1e3 * x_km**0.894


def strip_ppm(start_km, length_km, low_km, high_km, emission=10.0, sigma=sigma_km):
    """Average the Gaussian plume over a rectangle: error functions across, adaptive quadrature along."""

    def caught(x):
        scale = np.sqrt(2.0) * sigma(x)
        return (erf(high_km / scale) - erf(low_km / scale)) / 2.0

    integral, _ = quad(caught, max(start_km, 1e-9), start_km + length_km, epsabs=1e-9)
    return 0.4092 * emission * integral / (length_km * (high_km - low_km))


def test_crosswind_integral():
    """0.409 ppm km per Mt/yr at 5 m/s and 1000 hPa: a footprint that holds the whole width, far or near."""
    for start_km in (1.0, 50.0):
        wide = samples(start_km, 4.0, 60.0)
        assert 60.0 * mean_ppm(wide, config(1.0)) == pytest.approx(0.409, rel=2e-3)


@pytest.mark.parametrize(
    ("emission", "extent_m", "size_km", "expected_ppm"),
    [
        (10.0, 0.0, (2.0, 2.0), 2.0),
        (10.0, 0.0, (9.0, 4.5), 0.90),
        (33.0, 0.0, (2.0, 2.0), 6.7),
        (33.0, 0.0, (9.0, 4.5), 3.0),
        (17.0, 30e3, (9.0, 4.5), 0.35),
    ],
)
def test_expected_enhancements(emission, extent_m, size_km, expected_ppm):
    """Published with the formula, rounded to two figures; the footprint begins where all is emitted."""
    cells = samples(extent_m / 2e3, *size_km)
    assert mean_ppm(cells, config(emission, extent_m)) == pytest.approx(expected_ppm, rel=0.03)


@pytest.mark.parametrize("start_km", [-4.0, 0.0, 3.0, 20.0, 120.0])
@pytest.mark.parametrize("aside_km", [0.0, 1.3, -3.0])
def test_footprint_mean_is_the_integral(start_km, aside_km):
    expected = strip_ppm(start_km, 9.0, aside_km - 2.25, aside_km + 2.25)
    got = mean_ppm(samples(start_km, 9.0, 4.5, aside_km), config())
    assert got == pytest.approx(expected, rel=ONE_PERCENT, abs=1e-4)


@pytest.mark.parametrize("turn_deg", [17.0, 45.0, 90.0, 203.0])
def test_footprint_may_stand_askew(turn_deg):
    """Against the point formula summed over 720,000 points of the same polygon."""
    place = (1.0, 9.0, 4.5, 0.5, turn_deg)
    fine = samples(*place, across=600, along=1200)
    x = np.radians(fine.longitude_deg) * EARTH_MEAN_RADIUS / 1e3
    y = np.radians(fine.latitude_deg) * EARTH_MEAN_RADIUS / 1e3
    sigma = sigma_km(np.maximum(x, 1e-6))
    density = np.where(x > 0, np.exp(-((y / sigma) ** 2) / 2.0) / (np.sqrt(2.0 * np.pi) * sigma), 0.0)
    expected = 4.092 * np.sum(fine.weight * density)
    assert mean_ppm(samples(*place), config()) == pytest.approx(expected, rel=ONE_PERCENT)


def test_cells_hold_the_mass_of_the_finest_ones():
    """A single cell over everything and 9 by 18 of them agree: nothing is lost between cells."""
    single, usual = (samples(-2.0, 9.0, 4.5, 0.4, 30.0, **n) for n in ({"across": 1, "along": 1}, {}))
    quadrature = 0.02
    assert mean_ppm(single, config()) == pytest.approx(mean_ppm(usual, config()), rel=quadrature)


def test_nothing_upwind():
    upwind = samples(-30.0, 9.0, 4.5)
    assert mean_ppm(upwind, config()) == 0.0
    assert mean_ppm(upwind, config(extent=30e3)) == 0.0
    assert mean_ppm(upwind, config(wind_direction=90.0)) > 0.01


@pytest.mark.parametrize(("blows_from", "turn_deg"), [(270.0, 0.0), (180.0, 90.0), (225.0, 45.0)])
def test_wind_turns_the_plume(blows_from, turn_deg):
    """A westerly carries it east, a southerly north."""
    turn = np.radians(turn_deg)
    along = np.array([10.0, 10.0, 14.0, 14.0])
    left = np.array([2.0, -2.0, -2.0, 2.0])
    east, north = along * np.cos(turn) - left * np.sin(turn), along * np.sin(turn) + left * np.cos(turn)
    cells = sub_samples(north[np.newaxis] / KM_PER_DEGREE, east[np.newaxis] / KM_PER_DEGREE)
    expected = strip_ppm(10.0, 4.0, -2.0, 2.0)
    assert mean_ppm(cells, config(wind_direction=blows_from)) == pytest.approx(expected, rel=ONE_PERCENT)


def test_stability_and_wind():
    near = samples(10.0, 1.0, 1.0)
    means = [mean_ppm(near, config(stability=name)) for name in "ABCDEF"]
    assert np.all(np.diff(means) > 0)
    assert mean_ppm(near, config(wind_speed=10.0)) == pytest.approx(mean_ppm(near, config()) / 2.0)


def test_city_fills_from_its_upwind_edge():
    """Crosswind integrals before, in the middle of and behind an even disc: none, half, all."""
    before, middle, behind = (
        100.0 * mean_ppm(samples(x, 0.2, 100.0), config(1.0, 30e3)) for x in (-16.0, -0.1, 15.5)
    )
    assert before == 0.0
    assert middle == pytest.approx(0.409 / 2.0, rel=ONE_PERCENT)
    assert behind == pytest.approx(0.409, rel=ONE_PERCENT)


def turbulent(cells, seeds):
    setup = config(plumes="turbulent")
    return np.array([plumes.enhancement(cells, DRY_AIR, HOUR, setup, seed)[0] for seed in seeds])


def test_turbulent_plume_keeps_the_mean_flux():
    """Mean over moments of the crosswind integral and of a narrow footprint; scatter sets the tolerance."""
    seeds = range(400)
    wide = samples(20.0, 4.0, 60.0, across=1, along=4)
    flux = 60.0 * np.sum(wide.weight * turbulent(wide, seeds), axis=-1)
    three_sigma = 3.0 * flux.std() / np.sqrt(len(seeds))
    assert flux.mean() == pytest.approx(4.092, abs=three_sigma)
    assert 0.2 < flux.std() / flux.mean() < 0.7
    narrow = samples(20.0, 4.0, 2.0, across=1, along=4)
    moments = np.sum(narrow.weight * turbulent(narrow, seeds), axis=-1)
    three_sigma = 3.0 * moments.std() / np.sqrt(len(seeds))
    assert moments.mean() == pytest.approx(strip_ppm(20.0, 4.0, -1.0, 1.0), abs=three_sigma)


def test_turbulent_peaks_are_about_twice_the_steady_ones():
    """In 1.1 km cells; a weather model of that grid had 7.1 ppm where the steady plume has 3.1."""
    cells = samples(10.0, 22.0, 13.2, across=12, along=20)
    steady = plumes.enhancement(cells, DRY_AIR, HOUR, config(), 1).max()
    ratios = turbulent(cells, range(60)).max(axis=1) / steady
    assert 1.6 < np.median(ratios) < 2.4
    assert np.percentile(ratios, 75) > 7.1 / 3.1 - 0.3


def test_turbulence_averages_out_over_a_city():
    """The crosswind integral of a city wavers less than that of a chimney; its mean stays."""
    wide = samples(30.0, 4.0, 150.0, across=1, along=4)
    chimney, city = (
        np.array([mean_ppm(wide, config(10.0, size, plumes="turbulent"), seed) for seed in range(100)])
        for size in (0.0, 40e3)
    )
    assert city.std() < 0.5 * chimney.std()
    three_sigma = 3.0 * city.std() / 10.0
    assert 150.0 * city.mean() == pytest.approx(4.092, abs=150.0 * three_sigma)


def test_turbulence_is_smooth_in_place_and_moves_with_the_wind():
    """A cell resembles its neighbour and, a minute later, what was 300 m upwind of it before."""
    setup, few = config(plumes="turbulent"), {"across": 1, "along": 2}
    here, beside, upwind, far = (
        np.array([mean_ppm(samples(x, 0.2, 2.0, **few), setup, seed) for seed in range(80)])
        for x in (20.0, 20.3, 19.7, 60.0)
    )
    moment = samples(20.0, 0.2, 2.0, **few)
    later = np.array([mean_ppm(moment, setup, seed, HOUR + 60.0) for seed in range(80)])
    assert np.corrcoef(here, beside)[0, 1] > 0.95
    assert np.corrcoef(later, upwind)[0, 1] > np.corrcoef(later, here)[0, 1]
    assert abs(np.corrcoef(here, far)[0, 1]) < 0.4


def test_turbulence_depends_on_seed_place_time_and_source_only():
    both = Source("other", 0.3, -0.1, 5.0), Source("chimney", 0.0, 0.0, 10.0)
    cells = samples(5.0, 9.0, 4.5)
    forward, backward = (
        mean_ppm(cells, config(plumes="turbulent", sources=order)) for order in (both, both[::-1])
    )
    assert forward == pytest.approx(backward, rel=1e-12)
    assert forward != mean_ppm(cells, config(plumes="turbulent", sources=both), seed=2)


def test_catalogue_is_used_when_no_source_is_named():
    known = plumes.sources(TruthConfig(plumes="steady"))
    assert 20 <= len(known) <= 60
    assert {"Paris", "Belchatow"} <= {source.name for source in known}
    assert all(1.0 <= source.emission <= 200.0 and 0.0 <= source.extent <= 100e3 for source in known)
    paris = next(source for source in known if source.name == "Paris")
    assert (paris.latitude, paris.longitude, paris.extent) == (48.86, 2.35, 40e3)


def test_plume_stays_in_the_boundary_layer():
    pressure = 101_325.0 * atmosphere.sigma_levels()[np.newaxis]
    temperature, humidity = atmosphere.climatology(pressure, np.array([45.0]), np.array([0.5]))
    altitude = atmosphere.altitude(pressure, temperature, humidity, np.array([45.0]))
    shape = plumes.mixed_shape(altitude)
    assert np.all(shape[altitude < 900.0] > 0.94)
    assert np.all(shape[altitude > 1600.0] < 0.02)
