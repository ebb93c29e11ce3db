import json
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from truth import atmosphere, co2
from truth.brdf import white_sky_albedo
from truth.config import TruthConfig
from truth.constants import AVOGADRO, MOLAR_MASS_DRY_AIR
from truth.footprint import sub_samples
from truth.scene import Truth, decimal_year, sample, unix_seconds, write_truth

JULY_2026 = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
ROUNDING_PPM = 1e-9
CHECKER = Path(sysconfig.get_path("scripts")) / "compliance-checker"
CONFIG = TruthConfig()


def geometry(
    count: int = 6, latitude: float = 20.0, longitude: float = 179.99, half_deg: float = 0.04
) -> xr.Dataset:
    """Footprints 8.9 km long, one after the other, across the date line."""
    centre_latitude = latitude - 2 * half_deg * np.arange(count)
    centre_longitude = np.full(count, longitude)
    along, across = half_deg * np.array([1, 1, -1, -1]), 0.021 * np.array([1, -1, -1, 1])
    return xr.Dataset(
        {
            "sounding_id": ("sounding", 10**11 + 10 * np.arange(count) + 1),
            "time": ("sounding", JULY_2026 + 1.304 * np.arange(count)),
            "latitude": ("sounding", centre_latitude),
            "longitude": ("sounding", centre_longitude),
            "vertex_latitude": (("sounding", "vertex"), centre_latitude[:, np.newaxis] + along),
            "vertex_longitude": (
                ("sounding", "vertex"),
                (centre_longitude[:, np.newaxis] + across + 180.0) % 360.0 - 180.0,
            ),
            "solar_zenith_angle": ("sounding", np.full(count, 30.0)),
        }
    )


def dry_weights(scene: xr.Dataset) -> np.ndarray:
    fields = [scene[name].values for name in ("pressure", "specific_humidity", "altitude", "latitude")]
    return atmosphere.level_weights(atmosphere.columns(*fields).dry_air)


def test_sub_samples_share_the_exposure_evenly():
    """A strip twice as wide at its start is seen as long there as at its end."""
    samples = sub_samples(np.array([[0.0, 0.0, 0.09, 0.09]]), np.array([[-0.02, 0.02, 0.01, -0.01]]), 9, 90)
    along = float(np.sum(samples.weight * samples.latitude_deg)) / 0.09
    assert along == pytest.approx(1 / 2, abs=1e-4)
    assert samples.weight.sum() == pytest.approx(1.0)


def test_sub_samples_cover_the_date_line():
    samples = sub_samples(np.array([[1.0, 1.0, 0.9, 0.9]]), np.array([[179.98, -179.98, -179.98, 179.98]]))
    assert samples.weight.shape == (1, 9 * 18)
    assert np.all(np.abs(samples.longitude_deg) > 179.97)
    assert np.sum(samples.weight * samples.latitude_deg) == pytest.approx(0.95, abs=1e-3)


def test_weather_moves_the_column_by_its_own_amount():
    """Spread over the troposphere, the anomaly keeps its column whatever the profile's shape."""
    place = geometry(3)
    with_weather, without = (
        sample(place, TruthConfig(synoptic=on), 9)["xco2"].values for on in (True, False)
    )
    samples = sub_samples(place["vertex_latitude"].values, place["vertex_longitude"].values)
    field = co2.synoptic_xco2(
        9, samples.latitude_deg, samples.longitude_deg, place["time"].values[:, np.newaxis]
    )
    np.testing.assert_allclose(with_weather - without, np.sum(samples.weight * field, axis=1), atol=1e-9)


def test_levels_run_from_top_to_surface():
    scene = sample(geometry(), CONFIG, 1)
    assert np.all(np.diff(scene["pressure"], axis=1) > 0)
    assert np.all(np.diff(scene["altitude"], axis=1) < 0)
    np.testing.assert_allclose(scene["pressure"][:, -1], scene["surface_pressure"])
    assert scene.sizes["level"] == 61
    assert 180 < scene["temperature"].min() < scene["temperature"].max() < 320


def test_xco2_is_the_dry_weighted_profile():
    scene = sample(geometry(), CONFIG, 1)
    column = np.sum(dry_weights(scene) * scene["co2"].values, axis=1)
    np.testing.assert_allclose(scene["xco2"], column, atol=ROUNDING_PPM)


def test_xco2_counts_dry_air_not_moist():
    """With CO2 rising downwards, moist weights would add water's share of the lowest layers."""
    scene = sample(geometry(latitude=10.0), CONFIG, 1)
    pressure, profile = scene["pressure"].values, scene["co2"].values
    moist = np.trapezoid(profile, pressure, axis=1) / (pressure[:, -1] - pressure[:, 0])
    assert np.all(np.abs(moist - scene["xco2"]) > 1e-4)
    assert np.all(np.abs(moist - scene["xco2"]) < 0.1)


def test_uniform_field_is_uniform():
    scene = sample(geometry(), TruthConfig(co2="uniform", co2_uniform=415.0), 1)
    np.testing.assert_allclose(scene["xco2"], 415.0, rtol=1e-12)
    np.testing.assert_allclose(scene["xco2_footprint_sd"], 0.0, atol=ROUNDING_PPM)


def test_without_weather_xco2_is_the_zonal_column():
    scene = sample(geometry(), TruthConfig(synoptic=False), 1)
    pressure = 101_325.0 * atmosphere.sigma_levels(2000)
    profile = co2.zonal_background(pressure, 20.0, 2026.5)
    column = np.trapezoid(profile, pressure) / pressure[-1]
    moisture_and_half_a_day = 0.06
    assert float(scene["xco2"][0]) == pytest.approx(column, abs=moisture_and_half_a_day)


def footprint(first: float, last: float) -> xr.Dataset:
    """Keep the part of one footprint between two fractions of its length."""
    part = geometry(1)
    edges = np.array([first, first, last, last])
    start, end = part["vertex_latitude"].values[0, [0, 2]]
    part["vertex_latitude"][0] = start + edges * (end - start)
    return part


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_halves_of_a_footprint_make_the_whole(seed):
    whole, start, end = (
        float(sample(footprint(*part), CONFIG, seed)["xco2"][0]) for part in ((0, 1), (0, 0.5), (0.5, 1))
    )
    quadrature_ppm = 2e-4
    assert whole == pytest.approx((start + end) / 2, abs=quadrature_ppm)
    assert abs(start - end) > 5 * quadrature_ppm


def test_scene_depends_on_place_time_and_seed_only():
    config = TruthConfig(surface="map", relief=True)
    everything = geometry(6, 46.6, 8.0)
    scene = sample(everything, config, 3)
    alone = sample(everything.isel(sounding=[4]).assign(sounding_id=("sounding", [7])), config, 3)
    other = sample(everything, config, 4)
    for name in scene.data_vars.keys() - {"sounding_id"}:
        np.testing.assert_allclose(alone[name][0], scene[name][4], rtol=1e-12)
    for name in ("xco2", "surface_pressure", "surface_altitude", "wind_speed", "albedo", "sif", "airglow_mr"):
        assert np.all(other[name].values != scene[name].values)


def test_surface_follows_the_scenario():
    ocean, forest = (sample(geometry(), TruthConfig(surface=kind), 1) for kind in ("ocean", "vegetation"))
    assert np.all(ocean["surface_type"] == 0)
    np.testing.assert_allclose(ocean["albedo"], ocean["whitecap_albedo"], rtol=1e-12)
    assert np.all(ocean["brdf_kernel"] == 0)
    assert np.all(forest["surface_type"] == 1)
    np.testing.assert_allclose(forest["albedo"][0], (0.43, 0.19, 0.05, 0.37), rtol=0.2)


def test_sub_samples_are_fine_enough():
    """Mean and standard deviation of half a kilometre's grid are those of a sixth of it within 1 %.

    The Bernese Alps, the coast at Le Havre and the Amazon; relative to the footprint where either is largest.
    """
    nature = TruthConfig(surface="map", relief=True, plumes="none")
    names = ("albedo", "surface_altitude", "surface_pressure", "land_fraction", "sif", "xco2_footprint_sd")
    spreads = ("albedo_sd", "surface_altitude_sd", "surface_pressure_sd")
    for latitude, longitude in ((46.6, 8.0), (49.6, 0.1), (-5.0, -62.0)):
        place = geometry(2, latitude, longitude)
        coarse, fine = (Truth(nature, 5, *grid).sample(place) for grid in ((9, 18), (27, 54)))
        for name in (*names, *spreads):
            largest = max(float(np.abs(fine[name]).max()), 1e-9)
            assert np.abs(coarse[name] - fine[name]).max() < 0.01 * largest, name


def test_a_coast_mixes_land_and_sea():
    """A row of footprints southwards from Normandy's sea onto its land."""
    scene = sample(geometry(12, 50.0, 0.3), TruthConfig(surface="map"), 5)
    land = scene["land_fraction"].values
    assert land.min() == 0.0
    assert land.max() == 1.0
    assert np.any((land > 0.1) & (land < 0.9))
    np.testing.assert_array_equal(scene["surface_type"], land >= 0.5)
    assert np.all((scene["surface_kind"] > 0)[land > 0.6])
    share = white_sky_albedo(scene["brdf_kernel"].values)
    np.testing.assert_allclose(scene["albedo"], share + scene["whitecap_albedo"].values, rtol=1e-12)
    assert np.all(share[land == 0.0] == 0.0)


def test_relief_moves_the_column():
    """The levels stand on the footprint's mean altitude, and the pressure there is the barometric one."""
    nature = TruthConfig(surface="map", relief=True)
    flat, steep = (sample(geometry(4, 46.6, 8.0), each, 5) for each in (TruthConfig(surface="map"), nature))
    assert np.all(flat["surface_altitude"] == 0.0)
    altitude = steep["surface_altitude"].values
    assert altitude.min() > 1000.0
    np.testing.assert_allclose(steep["altitude"][:, -1], altitude)
    assert np.all(steep["surface_altitude_sd"] > 50.0)
    scale_height = 8_600.0  # m, R T / M g of the lowest 2 km in July
    expected = flat["surface_pressure"] * np.exp(-altitude / scale_height)
    np.testing.assert_allclose(steep["surface_pressure"], expected, rtol=0.015)
    slope_pa_per_m = steep["surface_pressure_sd"] / steep["surface_altitude_sd"]
    np.testing.assert_allclose(slope_pa_per_m, steep["surface_pressure"] / 8_400.0, rtol=0.05)


def test_o2_column_over_relief():
    """0.2095 (ps - g TCWV) / (g M_dry) over ground between 1.4 and 2.6 km.

    Here g is that of the 1980 formula at the mean altitude of the mass less the free-air 2 z / R, and
    TCWV the trapezoid of humidity in pressure over g.
    """
    scene = sample(geometry(12, 46.8, 8.0), TruthConfig(surface="map", relief=True), 5)
    names = ("pressure", "specific_humidity", "altitude", "latitude")
    pressure, humidity, altitude, latitude = (scene[name].values for name in names)
    dry_air = atmosphere.columns(pressure, humidity, altitude, latitude).dry_air.sum(axis=1)
    surface = scene["surface_pressure"].values
    mean_altitude = np.trapezoid(altitude, pressure, axis=1) / surface
    sin2, sin2_twice = np.sin(np.radians(latitude)) ** 2, np.sin(np.radians(2.0 * latitude)) ** 2
    at_sea = 9.780_327 * (1.0 + 0.005_302_4 * sin2 - 0.000_005_8 * sin2_twice)
    gravity = at_sea * (1.0 - 2.0 * mean_altitude / 6.371e6)
    water = np.trapezoid(humidity, pressure, axis=1) / gravity
    expected = (surface - gravity * water) / (gravity * MOLAR_MASS_DRY_AIR) * AVOGADRO
    assert np.ptp(scene["surface_altitude"].values) > 1000.0
    one_pascal = 1.3e-5  # above the top level
    np.testing.assert_allclose(dry_air, expected, rtol=one_pascal)


@pytest.mark.parametrize(
    ("switch", "name", "kind"),
    [
        ({"sif": False}, "sif", "vegetation"),
        ({"whitecaps": False}, "whitecap_albedo", "ocean"),
        ({"airglow": False}, "airglow_mr", "desert"),
    ],
)
def test_layers_are_switched_one_by_one(switch, name, kind):
    on, off = (sample(geometry(2), TruthConfig(surface=kind, **each), 1) for each in ({}, switch))
    assert np.all(on[name] > 0)
    assert np.all(off[name] == 0)
    touched = {name, "albedo"} if name == "whitecap_albedo" else {name}
    for other in set(on.data_vars) - touched:
        np.testing.assert_allclose(on[other], off[other], rtol=0, atol=1e-15, err_msg=str(other))


def test_without_brdf_land_is_lambertian():
    ross_li, lambertian = (
        sample(geometry(2), TruthConfig(surface="soil", brdf=on), 1) for on in (True, False)
    )
    np.testing.assert_allclose(ross_li["albedo"], lambertian["albedo"], rtol=1e-12)
    np.testing.assert_allclose(lambertian["brdf_kernel"][..., 0], lambertian["albedo"])
    assert np.all(lambertian["brdf_kernel"][..., 1:] == 0)
    assert np.all(ross_li["brdf_kernel"][..., 1:] > 0)


def test_fluorescence_follows_the_sun():
    place = geometry(3)
    place["solar_zenith_angle"].values[:] = (20.0, 70.0, 100.0)
    noon, evening, night = sample(place, TruthConfig(surface="vegetation"), 1)["sif"].values
    assert 1.5 < noon < 3.0
    spread_of_leaves = 0.2
    assert evening / noon == pytest.approx(
        np.cos(np.radians(70)) / np.cos(np.radians(20)), rel=spread_of_leaves
    )
    assert night == 0.0


def test_night_has_no_airglow():
    place = geometry(2)
    place["solar_zenith_angle"].values[:] = (94.0, 95.5)
    glow = sample(place, CONFIG, 1)["airglow_mr"].values
    assert glow[0] > 0.0
    assert glow[1] == 0.0


def test_wind_direction_is_the_scenarios():
    assert np.all(np.isnan(sample(geometry(2), CONFIG, 1)["wind_direction"]))
    assert np.all(sample(geometry(2), TruthConfig(wind_direction=250.0), 1)["wind_direction"] == 250.0)


def test_airglow_can_be_switched_off():
    assert np.all(sample(geometry(), TruthConfig(airglow=False), 1)["airglow_mr"] == 0)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"co2": "climate"}, "expected co2 of uniform, climatology, file, got 'climate'"),
        ({"plumes": "gaussian"}, "expected plumes of none, steady, turbulent, got 'gaussian'"),
        ({"stability": "G"}, "expected stability of A, B, C, D, E, F, got 'G'"),
        ({"wind_speed": 0.0}, "expected a wind_speed above 0 m s-1, got 0"),
        ({"cirrus": {"type": "smoke", "optical_depth": 0.1, "height": 1e4, "thickness": 1e3}}, "got 'smoke'"),
        ({"aerosol": [{"type": "dust", "optical_depth": 0.1, "height": 1e3, "thickness": 0.0}]}, "above 0 m"),
    ],
)
def test_natures_that_cannot_be_are_refused(field, said):
    with pytest.raises(ValueError, match=said):
        TruthConfig.of(field)


def test_decimal_year():
    moments = [
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 7, 2, tzinfo=UTC),
        datetime(2026, 7, 2, 12, tzinfo=UTC),
    ]
    years = decimal_year(np.array([moment.timestamp() for moment in moments]))
    np.testing.assert_allclose(years, (2024.0, 2024 + 183 / 366, 2026.5), rtol=1e-12)


def test_time_may_be_decoded():
    seconds = np.array([JULY_2026 + 0.652])
    decoded = (1e9 * seconds).astype("int64").astype("datetime64[ns]")
    np.testing.assert_allclose(unix_seconds(decoded), seconds, rtol=1e-15)


def test_truth_file(tmp_path):
    """Two granules become one file with the agreed names and units, clean by compliance-checker's CF 1.11."""
    scenes = [sample(geometry(3, latitude), CONFIG, 1) for latitude in (20.0, 10.0)]
    path = tmp_path / "truth.nc"
    write_truth(scenes, path)
    with xr.open_dataset(path, decode_times=False) as truth:
        assert truth["sounding_id"].dtype == np.int64
        assert truth.sizes == {"sounding": 6, "level": 61, "band": 4}
        np.testing.assert_allclose(truth["surface_pressure"][:3], scenes[0]["surface_pressure"] / 100.0)
        np.testing.assert_allclose(truth["pressure_levels"][:, -1], truth["surface_pressure"])
        np.testing.assert_allclose(truth["xco2"][3:], scenes[1]["xco2"])
        assert truth["xco2"].attrs["units"] == truth["co2_profile"].attrs["units"] == "ppm"
        assert truth["time"].attrs["units"].startswith("seconds since 1970-01-01")
    assert not list(tmp_path.glob("*.part"))
    report = tmp_path / "cf.json"
    options = ["--test", "cf:1.11", "--criteria", "strict", "-f", "json_new", "-o", str(report)]
    subprocess.run([sys.executable, "-W", "ignore", str(CHECKER), *options, str(path)], capture_output=True)
    (verdict,) = json.loads(report.read_text()).values()
    priorities = ("high_priorities", "medium_priorities", "low_priorities")
    checks = [check for priority in priorities for check in verdict["cf:1.11"][priority]]
    assert checks
    assert [said for check in checks for said in check["msgs"]] == []
