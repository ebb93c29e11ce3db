"""What `twin truth` shows: the fields of nature at their places, light through the optics, clear errors."""

import json
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
import pytest
import skyfield_data
import xarray as xr
from skyfield.api import load as skyfield_load
from skyfield.api import load_file, wgs84
from typer.testing import CliRunner

from truth import radiance
from truth.config import TruthConfig
from truth.scene import Truth
from twin import cli
from twin.errors import BadInput
from twin.mission import pointing
from twin.run import find
from twin.scenario import load
from twin.truthview import asked, fields, places, spectra

CHECKER = Path(sysconfig.get_path("scripts")) / "compliance-checker"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
POLE_TO_POLE = 30.0  # degrees, 6 x 12 cells
ABERRATION_DEG = 0.01  # light from the Sun, and the centre of the Earth for a place on it
TWO_CENTIMETRES = 0.02
TWO_METRES_APART = {"xco2": 1e-6, "psurf": 1e-5}  # change of a field between neighbouring centres


def nothing(done: int) -> None:
    """Hear of the progress and keep quiet."""


@pytest.fixture
def twin():
    def invoke(*arguments: str):
        return CliRunner().invoke(cli.app, ["truth", *arguments], catch_exceptions=False)

    return invoke


def complaints(path: Path, folder: Path) -> list[str]:
    """Judge a file by compliance-checker's CF 1.11, all priorities."""
    report = folder / "cf.json"
    options = ["--test", "cf:1.11", "--criteria", "strict", "-f", "json_new", "-o", str(report)]
    subprocess.run([sys.executable, "-W", "ignore", str(CHECKER), *options, str(path)], capture_output=True)
    (verdict,) = json.loads(report.read_text()).values()
    groups = [verdict["cf:1.11"][p] for p in ("high_priorities", "medium_priorities", "low_priorities")]
    assert any(groups)
    return [said for group in groups for check in group for said in check["msgs"]]


def test_map_file_is_clean_and_tells_its_origin(twin, tmp_path):
    result = twin(
        "map",
        "--date",
        "2026-07-01",
        "--what",
        "psurf",
        "--step",
        "30",
        "--output",
        str(tmp_path),
        "--seed",
        "7",
    )
    assert result.exit_code == 0
    nc, png = (Path(line) for line in result.stdout.splitlines())
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "sample" in result.stderr
    assert complaints(nc, tmp_path) == []
    with xr.open_dataset(nc) as field:
        assert field["time"].values == np.datetime64("2026-07-01T12:00:00")
        assert field["psurf"].dims == ("latitude", "longitude")
        assert field["psurf"].attrs["units"] == "hPa"
        assert (field.attrs["seed"], field.attrs["source"]) == (7, "simulation")
        assert TruthConfig.of(json.loads(field.attrs["configuration"])) == asked.EARTH
        assert "twin/truth" in field.attrs["code_version"]
    assert sorted(path.suffix for path in tmp_path.glob("map_*")) == [".nc", ".png"]


@pytest.fixture(scope="module")
def everything() -> tuple[asked.Nature, dict[str, np.ndarray]]:
    """All fields of the Earth with every layer on, in blocks of 7 places."""
    earth = asked.nature(None, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "BLOCK", 7)
        return earth, fields.values(earth, fields.WHAT, NOON, POLE_TO_POLE, nothing)


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(-75.0, 165.0), (15.0, -45.0), (45.0, 15.0), (15.0, 15.0)]
)
def test_values_are_those_of_nature_at_the_same_place(everything, latitude, longitude):
    """Against single footprints built from their corners on the round Earth, up to 2 m apart."""
    earth, found = everything
    scene = Truth(earth.config, earth.seed, across=1, along=1).sample(by_hand(latitude, longitude))
    cell = round((latitude + 75.0) / POLE_TO_POLE), round((longitude + 165.0) / POLE_TO_POLE)
    for what, row in fields.WHAT.items():
        value = row.source(scene) if callable(row.source) else scene[row.source].values
        expected = row.factor * (value[0] if row.band is None else value[0, row.band])
        rel = TWO_METRES_APART.get(what, 2e-3)
        assert found[what][cell] == pytest.approx(expected, rel=rel, abs=1e-4), what


def test_a_map_is_the_field_on_its_grid():
    earth = asked.Nature(TruthConfig(), 1, "", "microcarb", None)
    field = fields.sample(earth, "psurf", NOON, POLE_TO_POLE, nothing)
    assert field["latitude"].values.tolist() == [-75, -45, -15, 15, 45, 75]
    assert field["longitude"].values.tolist() == list(range(-165, 166, 30))
    alone = Truth(TruthConfig(), 1, 1, 1).sample(by_hand(45.0, -75.0))["surface_pressure"].values[0]
    assert float(field["psurf"].sel(latitude=45.0, longitude=-75.0)) == pytest.approx(alone / 100, rel=1e-6)


def by_hand(latitude: float, longitude: float) -> xr.Dataset:
    """One footprint on the round Earth and the Sun of skyfield."""
    north, east = 0.04, 0.02 / np.cos(np.radians(latitude))
    sza, _ = sun(latitude, longitude)
    corners = {
        "vertex_latitude": latitude + north * np.array([1.0, 1.0, -1.0, -1.0]),
        "vertex_longitude": longitude + east * np.array([1.0, -1.0, -1.0, 1.0]),
    }
    rows = {"latitude": latitude, "longitude": longitude, "time": NOON.timestamp(), "solar_zenith_angle": sza}
    return xr.Dataset(
        {name: ("sounding", [value]) for name, value in rows.items()}
        | {name: (("sounding", "vertex"), values[None]) for name, values in corners.items()}
    )


def sun(latitude: float, longitude: float) -> tuple[float, float]:
    """Zenith angle and azimuth (degrees) of the Sun at NOON by skyfield's topocentric place."""
    planets = load_file(str(Path(skyfield_data.__file__).parent / "data" / "de421.bsp"))
    try:
        place = planets["earth"] + wgs84.latlon(latitude, longitude)
        height, azimuth, _ = (
            place.at(skyfield_load.timescale(builtin=True).from_datetime(NOON))
            .observe(planets["sun"])
            .apparent()
            .altaz()
        )
    finally:
        planets.close()
    return 90.0 - height.degrees, azimuth.degrees


@pytest.mark.parametrize(("latitude", "longitude"), [(48.8, 2.3), (-35.0, 20.0), (89.9, 0.0)])
def test_the_sun_stands_where_skyfield_has_it(latitude, longitude):
    geometry = places.sunlit(np.array([latitude]), np.array([longitude]), NOON)
    sza, saa = sun(latitude, longitude)
    assert float(geometry["solar_zenith_angle"][0]) == pytest.approx(sza, abs=ABERRATION_DEG)
    off = (float(geometry["solar_azimuth_angle"][0]) - saa + 180.0) % 360.0 - 180.0
    assert abs(off) * np.sin(np.radians(sza)) < ABERRATION_DEG


def test_angles_and_speeds_are_those_of_a_pass():
    """A footprint of the orbit's own geometry, looked at again as a place."""
    seen = pointing.observe(load(find("nadir_land"))).isel(sounding=[1])
    at = datetime.fromtimestamp(float(seen["time"][0]), UTC)
    found = places.sunlit(seen["latitude"].values, seen["longitude"].values, at)
    for name, tolerance in (
        ("solar_zenith_angle", 1e-4),
        ("solar_azimuth_angle", 1e-4),
        ("sun_recession_speed", 0.1),
        ("earth_sun_distance", 1e-9),
        ("vertex_latitude", 0.05),
    ):
        np.testing.assert_allclose(found[name], seen[name], atol=tolerance, err_msg=name)


@pytest.mark.parametrize("latitude", [0.0, 60.0, 90.0])
def test_a_footprint_is_as_wide_and_long_as_the_instrument_sees(latitude):
    geometry = places.sunlit(np.array([latitude]), np.array([180.0]), NOON)
    corner = places.earth.ecef(geometry["vertex_latitude"].values[0], geometry["vertex_longitude"].values[0])
    start_left, start_right, end_right, end_left = corner
    for a, b, length in (
        (start_left, start_right, 4500.0),
        (end_left, end_right, 4500.0),
        (start_left, end_left, 8900.0),
    ):
        assert np.linalg.norm(a - b) == pytest.approx(length, abs=TWO_CENTIMETRES)
    centre = places.earth.ecef(np.array([latitude]), np.array([180.0]))[0]
    assert np.linalg.norm(corner.mean(axis=0) - centre) < 2.0  # m, the sagitta of the footprint


def test_glint_is_the_mirror_of_the_sun():
    geometry = places.viewed(places.sunlit(np.array([10.0]), np.array([-20.0]), NOON), "glint")
    assert geometry["sensor_zenith_angle"].values == geometry["solar_zenith_angle"].values
    raa = geometry["sensor_azimuth_angle"].values - geometry["solar_azimuth_angle"].values
    assert abs(raa[0]) == pytest.approx(180.0)


@pytest.fixture
def grey_light(monkeypatch):
    """Light of 1e20 everywhere instead of minutes of radiative transfer."""

    def radiances(scene, tables_dir, config):
        windows = {"B1": (12995, 13215), "B2": (6150, 6290), "B3": (4850, 4970), "B4": (7775, 7935)}
        data = {}
        for name, (low, high) in windows.items():
            grid = np.linspace(low, high, 4000)
            data[f"wavenumber_{name}"] = (f"point_{name}", grid)
            data[f"radiance_{name}"] = (
                ("sounding", f"point_{name}"),
                np.full((1, grid.size), 1e20, np.float32),
            )
        return xr.Dataset(data)

    monkeypatch.setattr(radiance, "radiances", radiances)


def test_spectrum_file_is_clean_and_conserves_grey_light(twin, tmp_path, grey_light):
    result = twin("spectrum", "--lat", "48.8", "--lon", "2.3", "--scenario", "nadir_land", "--date",
                  "2026-07-01", "--output", str(tmp_path))  # fmt: skip
    assert result.exit_code == 0
    nc, png = (Path(line) for line in result.stdout.splitlines())
    assert png.read_bytes().startswith(b"\x89PNG")
    assert complaints(nc, tmp_path) == []
    with xr.open_dataset(nc) as seen:
        assert seen["radiance"].shape == (4, 1024)
        np.testing.assert_allclose(seen["radiance"], 1e20, rtol=1e-6)
        assert float(seen["wavelength"][0, 0]) == pytest.approx(758.3, abs=0.3)
        assert seen.attrs["scenario"] == "nadir_land"
        assert seen["time"].values == np.datetime64("2026-07-01T10:20:48")  # 10:30 less 2.3 degrees


def test_angles_given_replace_those_of_the_sun_and_the_mode():
    seen = spectra.geometry((48.8, 2.3), NOON, "nadir", 50.0, 20.0)
    assert float(seen["solar_zenith_angle"][0]) == 50.0
    assert float(seen["sensor_zenith_angle"][0]) == 20.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("map", "--date", "yesterday", "--what", "xco2"), "--date: expected a date like 2026-07-01"),
        (("map", "--date", "1850-01-01", "--what", "xco2"), "--date: expected a year from 2000 to 2049"),
        (
            ("map", "--date", "2026-07-01", "--what", "methane"),
            "--what: expected one of xco2, xco2_biosphere",
        ),
        (("map", "--date", "2026-07-01", "--what", "xco2", "--step", "7"), "--step: expected 0.05 to 30"),
        (("map", "--date", "2026-07-01", "--what", "xco2", "--step", "nan"), "--step: expected 0.05 to 30"),
        (("map", "--date", "2026-07-01", "--what", "xco2", "--scenario", "no_such"), "no_such"),
        (("spectrum", "--lat", "91", "--lon", "0"), "--lat: expected -90 to 90"),
        (("spectrum", "--lat", "0", "--lon", "nan"), "--lon: expected -180 to 180"),
        (("spectrum", "--lat", "0", "--lon", "0", "--mode", "limb"), "--mode: expected nadir or glint"),
        (("spectrum", "--lat", "0", "--lon", "0", "--date", "2026-07-01T00:00"), "zenith angle up to 85"),
        (("spectrum", "--lat", "0", "--lon", "0", "--vza", "89"), "sensor zenith angle of 0 to 75"),
    ],
)
def test_bad_input_is_told_in_one_line_and_ends_with_2(twin, tmp_path, arguments, said):
    result = twin(*arguments, "--output", str(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told(twin, tmp_path):
    (tmp_path / "file").write_text("")
    result = twin(
        "map", "--date", "2026-07-01", "--what", "psurf", "--step", "30", "--output", str(tmp_path / "file")
    )
    assert result.exit_code == 2
    assert "expected a place to write to" in result.stderr


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01", NOON),
        ("2026-07-01T00:00", datetime(2026, 7, 1, tzinfo=UTC)),
        ("2026-07-01 06:30", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("2026-07-01T12:00+02:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_date_alone_is_its_noon_and_a_time_is_utc(text, moment):
    assert asked.moment(text, time(12)) == moment


def test_a_date_alone_is_the_satellite_s_hour_at_the_longitude():
    assert asked.local_clock("2026-07-01", 90.0, time(10, 30)) == datetime(2026, 7, 1, 4, 30, tzinfo=UTC)
    assert asked.local_clock("2026-07-01T12:00", 90.0, time(10, 30)) == NOON


def test_an_error_of_nature_is_bad_input(monkeypatch):
    from twin.truthview import show

    def refuse():
        raise ValueError("no such file")

    with pytest.raises(BadInput, match="nature: no such file"):
        show._sampled(refuse)
