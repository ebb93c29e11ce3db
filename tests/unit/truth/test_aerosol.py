import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from truth import aerosol
from truth.config import Particles, TruthConfig
from truth.particles import SPECIES
from truth.scene import sample, write_truth

SEED = 5
JULY_S, JANUARY_S = 1.7838e9, 1.7681e9  # unix s in 2026
DUST = Particles("dust", 0.3, height=3000.0, thickness=800.0)
SOOT = Particles("black_carbon", 0.05, height=1000.0, thickness=500.0)
CIRRUS = Particles("ice", 0.2, height=11_000.0, thickness=600.0)


def levels(count: int, surface_m: float = 0.0) -> np.ndarray:
    return np.tile(np.linspace(60e3, surface_m, 241), (count, 1))


def track(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fly once around a meridian, a footprint every few hundred km."""
    generator = np.random.default_rng(3)
    latitude = np.degrees(np.arcsin(generator.uniform(-1.0, 1.0, count)))
    return latitude, generator.uniform(-180.0, 180.0, count), np.full(count, JULY_S)


def kind(found: dict, name: str) -> np.ndarray:
    return found["aerosol_optical_depth"][1][:, SPECIES.index(name)]


@pytest.mark.parametrize("surface_m", [0.0, 2900.0, 5500.0, 15_000.0])
def test_optical_depth_is_conserved_above_any_ground(surface_m):
    """Even where the ground lies 15 standard deviations above the centre."""
    found = aerosol.profiles(TruthConfig(aerosol=(DUST,)), SEED, track(3), levels(3, surface_m))
    assert kind(found, "dust").sum(axis=1) == pytest.approx(0.3, rel=1e-12)
    assert found["aod"][1] == pytest.approx(0.3, rel=1e-12)
    assert kind(found, "dust").min() >= 0.0


def test_profile_is_gaussian():
    found = aerosol.profiles(TruthConfig(aerosol=(DUST,)), SEED, track(1), levels(1))
    middle = levels(1)[0][:-1] - 125.0
    density = kind(found, "dust")[0] / 250.0
    expected = 0.3 * norm.pdf(middle, 3000.0, 800.0) / norm.sf(0.0, 3000.0, 800.0)
    half_a_percent_of_the_peak = 0.005 * expected.max()
    assert density == pytest.approx(expected, abs=half_a_percent_of_the_peak)


def test_kinds_keep_to_themselves():
    config = TruthConfig(aerosol=(DUST, SOOT, DUST), cirrus=CIRRUS)
    found = aerosol.profiles(config, SEED, track(2), levels(2))
    totals = dict(zip(SPECIES, found["aerosol_optical_depth"][1].sum(axis=-1)[0], strict=True))
    expected = dict.fromkeys(SPECIES, 0.0) | {"dust": 0.6, "black_carbon": 0.05, "ice": 0.2}
    assert totals == pytest.approx(expected)
    assert found["aod"][1] == pytest.approx(0.65)
    assert found["cirrus_optical_depth"][1] == pytest.approx(0.2)


def test_nothing_configured_is_nothing():
    found = aerosol.profiles(TruthConfig(), SEED, track(4), levels(4))
    assert found["aerosol_optical_depth"][1].shape == (4, len(SPECIES), 240)
    assert not any(values.any() for _, values in found.values())


def test_variability_keeps_the_mean():
    """Mean and standard deviation of the logarithm over places far apart."""
    layer = Particles("dust", 0.3, 3000.0, 800.0, variability=0.5)
    found = aerosol.profiles(TruthConfig(aerosol=(layer,)), SEED, track(4000), levels(4000)[:, ::40])
    aod = found["aod"][1]
    one_realisation = 0.05
    assert aod.mean() == pytest.approx(0.3, rel=one_realisation)
    assert np.log(aod).std() == pytest.approx(0.5, rel=2 * one_realisation)


def test_neighbouring_footprints_share_the_haze():
    layer = Particles("ice", 0.1, 11_000.0, 800.0, variability=0.6)
    latitude, longitude, time_s = track(500)
    config = TruthConfig(cirrus=layer)
    logs = [
        np.log(
            aerosol.profiles(config, SEED, (latitude + km / 111.2, longitude, time_s), levels(500)[:, ::40])[
                "cirrus_optical_depth"
            ][1]
        )
        for km in (0.0, 3.0, 50.0, 1000.0)
    ]
    correlation = [np.corrcoef(logs[0], other)[0, 1] for other in logs[1:]]
    assert correlation[0] > 0.98
    assert 0.4 < correlation[1] < 0.8
    assert abs(correlation[2]) < 0.15


def test_order_of_calls_changes_nothing():
    config = TruthConfig(
        aerosol=(Particles("dust", 0.3, 3000.0, 800.0, variability=0.5),), aerosol_climatology=True
    )
    latitude, longitude, time_s = track(10)
    together = aerosol.profiles(config, SEED, (latitude, longitude, time_s), levels(10))["aod"][1]
    for i in (7, 2):
        one = slice(i, i + 1)
        alone = aerosol.profiles(config, SEED, (latitude[one], longitude[one], time_s[one]), levels(1))
        assert alone["aod"][1][0] == pytest.approx(together[i], rel=1e-12)


def test_two_layers_of_one_kind_vary_apart():
    layer = Particles("dust", 0.1, 3000.0, 800.0, variability=0.5)
    config = TruthConfig(aerosol=(layer, Particles("dust", 0.1, 9000.0, 500.0, variability=0.5)))
    dust = kind(aerosol.profiles(config, SEED, track(300), levels(300)), "dust")
    middle = levels(1)[0][:-1] - 125.0
    low, high = dust[:, middle < 6000.0].sum(axis=1), dust[:, middle > 6000.0].sum(axis=1)
    assert abs(np.corrcoef(np.log(low), np.log(high))[0, 1]) < 0.2


# Places everybody knows: latitude, longitude, month, land fraction, kind that leads, least of its share
PLACES = [
    (20.0, 0.0, 7, 1.0, "dust", 0.7),
    (-50.0, -120.0, 7, 0.0, "sea_salt", 0.6),
    (-10.0, -58.0, 9, 1.0, "organic", 0.7),
    (-8.0, 20.0, 8, 1.0, "organic", 0.7),
    (32.0, 115.0, 7, 1.0, "sulphate", 0.5),
]


@pytest.mark.parametrize(("latitude", "longitude", "month", "land", "leader", "share"), PLACES)
def test_climatology_by_region(latitude, longitude, month, land, leader, share):
    column = aerosol.climatology(latitude, longitude, (month - 0.5) / 12.0, land)
    assert SPECIES[int(np.argmax(column))] == leader
    assert column.max() / column.sum() > share


def test_climatology_seasons():
    """The Amazon burns in September and the Saharan dust rises in summer."""
    september, march = (aerosol.climatology(-10.0, -58.0, f, 1.0).sum() for f in (8.5 / 12, 2.5 / 12))
    july, january = (aerosol.climatology(21.0, 5.0, f, 1.0).sum() for f in (6.5 / 12, 0.5 / 12))
    assert september > 4.0 * march
    assert july > 1.5 * january


def test_global_mean_of_the_climatology():
    """About 0.13 at 0.55 um (S. Kinne et al. 2013), so 0.07 to 0.11 at 0.755 um for exponents 0.5 to 1.9."""
    latitude, longitude = np.meshgrid(np.arange(-89.0, 90.0, 2.0), np.arange(-179.0, 180.0, 2.0))
    column = aerosol.climatology(latitude, longitude, 0.3, land_fraction=0.3).sum(axis=-1)
    mean = np.average(column, weights=np.cos(np.radians(latitude)))
    assert 0.13 * (0.55 / 0.755) ** 1.9 < mean < 0.13 * (0.55 / 0.755) ** 0.5
    assert column.min() > 0.0


def test_wind_raises_sea_salt_over_sea_only():
    calm, storm = (aerosol.climatology(0.0, -120.0, 0.5, 0.0, wind).sum() for wind in (3.0, 15.0))
    assert storm - calm == pytest.approx(0.00055 * (15.0**2.195 - 3.0**2.195))
    assert aerosol.climatology(0.0, -120.0, 0.5, 1.0, 15.0)[SPECIES.index("sea_salt")] == 0.0


def test_climatology_of_mountains_is_thinner():
    """Air below the ground carries nothing, unlike a configured layer, whose optical depth is given."""
    config, place = TruthConfig(aerosol_climatology=True), tuple(np.array([x]) for x in (30.0, 90.0, JULY_S))
    sea, plateau = (
        aerosol.profiles(config, SEED, place, levels(1, height), 1.0)["aod"][1][0] for height in (0.0, 4500.0)
    )
    assert plateau < 0.2 * sea
    middle_of_none = aerosol.profiles(config, SEED, (*place[:2], np.array([JANUARY_S])), levels(1), 1.0)
    assert 0.0 < middle_of_none["aod"][1][0] < 1.0


def test_scene_and_file_carry_particles(tmp_path):
    """From footprint to truth.nc: each layer in its variable, totals above relief too."""
    corner = np.array([[0.04, 0.04, -0.04, -0.04]])
    geometry = xr.Dataset(
        {
            "sounding_id": ("sounding", [10**11 + 11]),
            "time": ("sounding", [JULY_S]),
            "latitude": ("sounding", [46.0]),
            "longitude": ("sounding", [8.0]),
            "vertex_latitude": (("sounding", "vertex"), 46.0 + corner),
            "vertex_longitude": (("sounding", "vertex"), 8.0 + np.array([[-0.03, 0.03, 0.03, -0.03]])),
            "solar_zenith_angle": ("sounding", [30.0]),
        }
    )
    config = TruthConfig(aerosol=(DUST, SOOT), cirrus=CIRRUS, cloud="climatology", relief=True, surface="map")
    scene = sample(geometry, config, 3)
    write_truth(scene, tmp_path / "truth.nc")
    with xr.open_dataset(tmp_path / "truth.nc") as written:
        assert float(written["aod"][0]) == pytest.approx(0.35)
        assert float(written["cirrus_optical_depth"][0]) == pytest.approx(0.2)
        assert 0.0 <= float(written["cloud_fraction"][0]) <= 1.0
    assert scene["aerosol_optical_depth"].sel(species="dust").sum() == pytest.approx(0.3)
    assert scene["cloud_optical_depth"].sizes["layer"] == 60
