from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.transform import Rotation

from truth import atmosphere, co2_files, grids
from truth.config import Co2File, TruthConfig
from truth.constants import AVOGADRO, MOLAR_MASS_CO2, MOLAR_MASS_DRY_AIR, MOLAR_MASS_WATER
from truth.scene import sample

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
START = np.datetime64("2026-07-01T00:00:00", "ns")
HOUR = np.timedelta64(1, "h")
CONSERVED = 1e-6  # relative, of the column
SURFACE = 98_000.0  # Pa
PLACE = (np.array([[10.5, 47.3]]), np.array([[33.3, -170.2]]))  # two samples of one sounding


def levels(time_s: float = NOON) -> co2_files.Levels:
    pressure = SURFACE * atmosphere.sigma_levels()[np.newaxis]
    temperature, humidity = atmosphere.climatology(pressure, np.array([30.0]), np.array([0.5]))
    altitude = atmosphere.altitude(pressure, temperature, humidity, np.array([30.0]))
    layers = atmosphere.columns(pressure, humidity, altitude, np.array([30.0]))
    return co2_files.Levels(pressure, layers.dry_air / AVOGADRO, layers.water / AVOGADRO, np.array([time_s]))


def field(latitude, longitude, hours):
    """Vary bilinearly in place but for the date line, and linearly in time, ppm."""
    return 400.0 + 0.1 * latitude + 0.5 * hours + 0.0 * longitude


def expected(hours: float = 12.0) -> np.ndarray:
    return field(PLACE[0], PLACE[1], hours)


def globe(times: int, step_hours: float, order: int = 1, **sizes) -> tuple[dict, np.ndarray]:
    """Give coordinates of a global grid (order -1: from the north) and the field (time, lat, lon) on it."""
    latitude = np.arange(-88.0, 89.0, 4.0)[::order]
    longitude = np.arange(-180.0, 180.0, 6.0)
    hours = (np.arange(times) + 0.5) * step_hours
    values = field(latitude[:, np.newaxis], longitude, hours[:, np.newaxis, np.newaxis])
    values = np.broadcast_to(values, (times, latitude.size, longitude.size))
    time = START + (hours * 3600.0 * 1e9).astype("timedelta64[ns]")
    return {"time": time, "latitude": latitude, "longitude": longitude}, values


def layered(values: np.ndarray, count: int) -> np.ndarray:
    """Add layers (time, layer, lat, lon), the first one 10 ppm below the last, straight between."""
    slope = np.linspace(-5.0, 5.0, count)[:, np.newaxis, np.newaxis]
    return values[:, np.newaxis] + slope


def cams(path: Path, units: str = "mol mol-1") -> Co2File:
    """Write an inversion: interfaces ap, bp from the top, CO2 on layers, Psurf."""
    coords, values = globe(8, 3.0)
    edge = np.linspace(0.0, 1.0, 21)
    to_unit = 1e-6 if units == "mol mol-1" else 1e-6 * MOLAR_MASS_CO2 / MOLAR_MASS_DRY_AIR
    data = xr.Dataset(
        {
            "CO2": (("time", "level", "latitude", "longitude"), layered(values, 20) * to_unit),
            "ap": ("hlevel", 30_000.0 * edge * (1.0 - edge)),
            "bp": ("hlevel", edge**2),
            "Psurf": (("time", "latitude", "longitude"), np.full(values.shape, 95_000.0)),
        },
        coords,
    )
    data["CO2"].attrs["units"], data["ap"].attrs["units"] = units, "Pa"
    data.to_netcdf(path)
    return Co2File(str(path), "cams")


def egg4(path: Path) -> Co2File:
    """Write a reanalysis on pressure levels, from north to south, east of Greenwich, kg of moist air."""
    coords, values = globe(8, 3.0, -1)
    coords["longitude"] = coords["longitude"] + 180.0
    pressure = np.array([10.0, 100.0, 300.0, 500.0, 700.0, 850.0, 1000.0])
    co2 = layered(values, 7) * 1e-6 * MOLAR_MASS_CO2 / MOLAR_MASS_DRY_AIR
    data = xr.Dataset({"co2": (("time", "level", "latitude", "longitude"), co2)}, coords)
    data = data.assign_coords(level=("level", pressure, {"units": "millibars"}))
    data["co2"].attrs["units"] = "kg kg**-1"
    data.to_netcdf(path)
    return Co2File(str(path), "cams")


def carbontracker(path: Path) -> Co2File:
    """Write a day of three-hourly fields, layers from the surface upwards, pressure at their boundaries."""
    coords, values = globe(8, 3.0)
    edge = 101_000.0 * np.linspace(1.0, 0.0, 26) ** 1.5
    full = np.broadcast_to(edge[:, np.newaxis, np.newaxis], (8, 26, *values.shape[1:]))
    data = xr.Dataset(
        {
            "co2": (("time", "level", "latitude", "longitude"), layered(values, 25)),
            "pressure": (("time", "boundary", "latitude", "longitude"), full),
            "air_mass": (("time", "level", "latitude", "longitude"), np.diff(-full, axis=1) / 9.8),
        },
        coords,
    )
    data["co2"].attrs["units"], data["pressure"].attrs["units"] = "micromol mol-1", "Pa"
    data.to_netcdf(path)
    return Co2File(str(path), "carbontracker")


def geoschem(path: Path, name: str = "SpeciesConcVV_CO2") -> Co2File:
    """Write hourly means, layers from the surface upwards, edges hyai in hPa and hybi."""
    coords, values = globe(24, 1.0)
    coords = {"time": coords["time"], "lat": coords["latitude"], "lon": coords["longitude"]}
    edge = np.linspace(1.0, 0.0, 48)
    data = xr.Dataset(
        {
            name: (("time", "lev", "lat", "lon"), 1e-6 * layered(values, 47)),
            "hyai": ("ilev", 300.0 * edge * (1.0 - edge)),
            "hybi": ("ilev", edge**2),
            "P0": ((), 1000.0),
        },
        coords,
    )
    data[name].attrs["units"], data["hyai"].attrs["units"] = "mol mol-1 dry", "hPa"
    data.to_netcdf(path)
    return Co2File(str(path), "geoschem")


def oco2_geos(path: Path, units: str = "mol/mol") -> Co2File:
    """Write one day of XCO2 alone."""
    coords, values = globe(1, 24.0)
    coords = {"time": coords["time"], "lat": coords["latitude"], "lon": coords["longitude"]}
    data = xr.Dataset({"XCO2": (("time", "lat", "lon"), 1e-6 * values)}, coords)
    data["XCO2"].attrs["units"] = units
    data.to_netcdf(path)
    return Co2File(str(path), "oco2_geos")


def cosmo(path: Path, rotated: bool = True, background: bool = True) -> Co2File:
    """Write columns of tracers on a rotated grid around 47 N 10 E, or on its 2-D coordinates alone."""
    row, column = np.arange(-5.0, 5.01, 0.25), np.arange(-6.0, 6.01, 0.25)
    latitude, longitude = unrotated(row[:, np.newaxis], column, 43.0, -170.0)
    hours = np.arange(24.0)
    total = field(latitude, longitude, hours[:, np.newaxis, np.newaxis])
    dims = ("time", "rlat", "rlon")
    parts = {"XCO2_BV": 0.3, "XCO2_A": 1.7, "XCO2_RA": 4.0, "XCO2_GPP": 3.0}
    background_ppm = total - 3.0
    data = xr.Dataset({name: (dims, np.full(total.shape, value)) for name, value in parts.items()})
    if background:
        data["XCO2_BG"] = (dims, background_ppm)
    for name in data.data_vars:
        data[name].attrs["units"] = "ppm"
    data = data.assign_coords(time=START + (hours * HOUR.astype("timedelta64[ns]")))
    if rotated:
        data = data.assign_coords(rlat=row, rlon=column)
        data["rotated_pole"] = (
            (),
            0,
            {"grid_north_pole_latitude": 43.0, "grid_north_pole_longitude": -170.0},
        )
    else:
        data = data.assign_coords(lat=(dims[1:], latitude), lon=(dims[1:], longitude))
    data.to_netcdf(path)
    return Co2File(str(path), "cosmo")


def unrotated(row, column, pole_latitude, pole_longitude):
    """Turn rotated coordinates back with rotation matrices alone."""
    row, column = np.broadcast_arrays(np.radians(row), np.radians(column))
    xyz = np.stack((np.cos(row) * np.cos(column), np.cos(row) * np.sin(column), np.sin(row)), axis=-1)
    tilt = Rotation.from_euler("yz", [pole_latitude - 90.0, pole_longitude + 180.0], degrees=True)
    x, y, z = tilt.apply(xyz.reshape(-1, 3)).T.reshape(3, *row.shape)
    return np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x))


def xco2(file: Co2File, time_s: float = NOON) -> np.ndarray:
    air = levels(time_s)
    return co2_files.profiles(file, *PLACE, air) @ atmosphere.level_weights(air.dry_air)[0]


def source_xco2(edges_pa: np.ndarray, slope: np.ndarray, mass: np.ndarray) -> float:
    """Sum a model's layers by mass of air above each edge, without nature's levels."""
    above = np.concatenate(((0.0,), np.cumsum(mass)))
    cut = np.interp(edges_pa, levels().pressure_pa[0], above)
    cut[0], cut[-1] = 0.0, above[-1]
    return float(np.sum(np.diff(cut) * slope) / above[-1])


def test_cams_inversion(tmp_path):
    edge = np.linspace(0.0, 1.0, 21)
    edges = 30_000.0 * edge * (1.0 - edge) + edge**2 * SURFACE
    slope = source_xco2(edges, np.linspace(-5.0, 5.0, 20), levels().dry_air[0])
    np.testing.assert_allclose(xco2(cams(tmp_path / "a.nc")), expected() + slope, rtol=CONSERVED)


def test_cams_reanalysis_counts_moist_air(tmp_path):
    """CO2 over moist air by mass: molecules of CO2 over molecules of dry air, summed over the column."""
    air = levels()
    moist = air.dry_air[0] * MOLAR_MASS_DRY_AIR + air.water[0] * MOLAR_MASS_WATER
    edges = 100.0 * np.array([0.0, 55.0, 200.0, 400.0, 600.0, 775.0, 925.0, 2000.0])
    slope = source_xco2(edges, np.linspace(-5.0, 5.0, 7), moist)
    wet = moist.sum() / (air.dry_air.sum() * MOLAR_MASS_DRY_AIR)
    assert 1.002 < wet < 1.01
    np.testing.assert_allclose(xco2(egg4(tmp_path / "a.nc")), wet * (expected() + slope), rtol=CONSERVED)


def test_carbontracker(tmp_path):
    edges = SURFACE * np.linspace(0.0, 1.0, 26) ** 1.5
    slope = source_xco2(edges, np.linspace(5.0, -5.0, 25), levels().dry_air[0])
    np.testing.assert_allclose(xco2(carbontracker(tmp_path / "a.nc")), expected() + slope, rtol=CONSERVED)


@pytest.mark.parametrize("name", ["SpeciesConcVV_CO2", "SpeciesConc_CO2"])
def test_geoschem(tmp_path, name):
    edge = np.linspace(0.0, 1.0, 48)
    edges = 30_000.0 * edge * (1.0 - edge) + edge**2 * SURFACE
    slope = source_xco2(edges, np.linspace(5.0, -5.0, 47), levels().dry_air[0])
    np.testing.assert_allclose(xco2(geoschem(tmp_path / "a.nc", name)), expected() + slope, rtol=CONSERVED)


def test_profile_keeps_its_place_in_height(tmp_path):
    """A layered model comes out as it is: -5 ppm at the top, +5 ppm at the ground, rising all the way."""
    profile = co2_files.profiles(cams(tmp_path / "a.nc"), *PLACE, levels())[0, 0] - expected()[0, 0]
    assert profile[0] == pytest.approx(-5.0)
    assert profile[-1] == pytest.approx(5.0)
    assert np.all(np.diff(profile) > -1e-9)


def test_columns_alone(tmp_path):
    values, whole = co2_files.columns(oco2_geos(tmp_path / "a.nc"), *PLACE, np.array([NOON + 30_000.0]))
    assert whole
    np.testing.assert_allclose(values, expected(), rtol=1e-9)


@pytest.mark.parametrize("rotated", [True, False])
def test_cosmo_adds_its_tracers(tmp_path, rotated):
    """Background, emissions and respiration less photosynthesis; 2-D coordinates give the same places."""
    places = np.array([[46.2, 48.9, 43.9]]), np.array([[8.1, 14.3, 10.0]])
    values, whole = co2_files.columns(cosmo(tmp_path / "a.nc", rotated), *places, np.array([NOON + 1800.0]))
    assert whole
    curvature_ppm = 2e-3
    np.testing.assert_allclose(values, field(*places, 12.5), atol=curvature_ppm)


def test_cosmo_without_background_adds_to_the_climatology(tmp_path):
    file = cosmo(tmp_path / "a.nc", background=False)
    values, whole = co2_files.columns(file, np.array([[47.0]]), np.array([[10.0]]), np.array([NOON]))
    assert not whole
    assert values == pytest.approx(3.0)
    place = geometry(47.0, 10.0)
    with_file, without = (
        float(sample(place, TruthConfig(**more), 1)["xco2"][0])
        for more in ({"co2": "file", "co2_file": file}, {"biosphere": False, "synoptic": False})
    )
    assert with_file - without == pytest.approx(3.0)


def geometry(latitude: float, longitude: float) -> xr.Dataset:
    corner = 0.02 * np.array([[1.0, 1.0, -1.0, -1.0]]), 0.02 * np.array([[-1.0, 1.0, 1.0, -1.0]])
    vertex = ("sounding", "vertex")
    return xr.Dataset(
        {
            "time": ("sounding", [NOON]),
            "latitude": ("sounding", [latitude]),
            "longitude": ("sounding", [longitude]),
            "vertex_latitude": (vertex, latitude + corner[0]),
            "vertex_longitude": (vertex, longitude + corner[1]),
            "solar_zenith_angle": ("sounding", [30.0]),
            "sounding_id": ("sounding", [1]),
        }
    )


@pytest.mark.parametrize("write", [carbontracker, oco2_geos])
def test_scene_takes_co2_from_a_file(tmp_path, write):
    """Neither land's nor weather's part is added; XCO2 is the file's to what its layers' slope adds."""
    config = TruthConfig(co2="file", co2_file=write(tmp_path / "a.nc"))
    scene = sample(geometry(21.0, 179.99), config, 1)
    slope = 3.0 if write is carbontracker else 0.0
    assert float(scene["xco2"][0]) == pytest.approx(field(21.0, 180.0, 12.0), abs=slope + 0.01)
    assert float(scene["xco2_biosphere"][0]) == float(scene["xco2_synoptic"][0]) == 0.0
    assert 0.0 < float(scene["xco2_footprint_sd"][0]) < 0.01


def test_time_between_steps(tmp_path):
    file = cams(tmp_path / "a.nc")
    np.testing.assert_allclose(xco2(file, NOON + 3600.0) - xco2(file), 0.5, rtol=1e-6)
    half_a_step = NOON + 12 * 3600.0 - 1.0
    assert np.all(xco2(file, half_a_step) > xco2(file, NOON + 9 * 3600.0))


def test_longitude_closes_on_itself():
    """Halfway between the last meridian and the first, from either side."""
    axis = np.array([0.0, 90.0, 180.0, 270.0])
    data = xr.Dataset(
        {"x": (("lat", "lon"), np.array([[0.0, 1.0, 2.0, 3.0]] * 2))},
        {"lat": [10.0, -10.0], "lon": axis},
    )
    places = np.array([[5.0, 5.0, -9.0]]), np.array([[315.0, -45.0, 0.0]])
    spot = grids.locate(data, *places)
    np.testing.assert_allclose(grids.gather(data["x"], spot, np.zeros(1), None), [[1.5, 1.5, 0.0]])


@pytest.mark.parametrize("first", [-180.0, 0.0])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("closed", [True, False])
def test_longitude_may_be_closed_and_may_fall(first, order, closed):
    """A grid of the globe gives cos(longitude) wherever it begins, whether or not it ends where it began."""
    axis = np.arange(first, first + 361.0, 1.0)[::order][: 361 if closed else 360]
    data = xr.Dataset(
        {"x": (("lat", "lon"), np.tile(np.cos(np.radians(axis)), (2, 1)))},
        {"lat": [10.0, -10.0], "lon": axis},
    )
    longitude = np.array([[-179.6, -0.4, 0.0, 0.4, 77.7, 179.6, 180.0, 359.6]])
    spot = grids.locate(data, 0.0 * longitude, longitude)
    chord = 4e-5
    found = grids.gather(data["x"], spot, np.zeros(1), None)
    np.testing.assert_allclose(found, np.cos(np.radians(longitude)), atol=chord)


def test_latitude_may_fall():
    data = xr.Dataset({}, {"lat": [90.0, 30.0, -30.0, -90.0], "lon": np.arange(0.0, 360.0, 90.0)})
    spot = grids.locate(data, np.array([[75.0, -60.0]]), np.array([[0.0, 45.0]]))
    np.testing.assert_allclose(spot.rows, [[0.25, 2.5]])
    np.testing.assert_allclose(spot.columns, [[0.0, 0.5]])


def test_the_other_side_of_the_earth_is_outside(tmp_path):
    file = cosmo(tmp_path / "a.nc", rotated=False)
    with pytest.raises(co2_files.UnusableFile, match=r"inside the model's grid, .* got -47"):
        co2_files.columns(file, np.array([[-47.0]]), np.array([[-170.0]]), np.array([NOON]))


def test_time_may_have_another_name_than_its_dimension(tmp_path):
    with xr.open_dataset(cams(tmp_path / "a.nc").path) as data:
        steps = data["time"].values
        data.drop_vars("time").assign_coords(valid_time=("time", steps)).to_netcdf(tmp_path / "b.nc")
    renamed = xco2(Co2File(str(tmp_path / "b.nc"), "cams"))
    np.testing.assert_array_equal(renamed, xco2(Co2File(str(tmp_path / "a.nc"), "cams")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.isel(time=slice(None, None, -1)), "expected time that rises all the way"),
        (lambda data: data.isel(level=[0, 2, 1]), "expected a level that rises or falls all the way"),
        (lambda data: data.isel(longitude=0, drop=True).assign_coords(longitude=data["longitude"]), "found"),
        (lambda data: data.expand_dims(ensemble=2), "latitude, longitude, time and 1 more, found"),
        (lambda data: data.assign(co2=data["co2"] * 0.0 - 9999.0), "expected CO2 of 100 to 10000 ppm"),
        (lambda data: data.assign(co2=data["co2"] * 1e6), "check its units"),
    ],
)
def test_what_makes_no_field_is_named(tmp_path, change, said):
    with xr.open_dataset(egg4(tmp_path / "good.nc").path) as good, xr.set_options(keep_attrs=True):
        change(good.load()).to_netcdf(tmp_path / "bad.nc")
    with pytest.raises(co2_files.UnusableFile, match=said):
        xco2(Co2File(str(tmp_path / "bad.nc"), "cams"))


def test_time_along_two_dimensions_is_refused(tmp_path):
    with xr.open_dataset(egg4(tmp_path / "good.nc").path) as good:
        data = good.load().rename_dims(time="step").expand_dims(run=1)
        times = data["time"].values[np.newaxis]
        data.drop_vars("time").assign_coords(valid_time=(("run", "step"), times)).to_netcdf(
            tmp_path / "bad.nc"
        )
    with pytest.raises(
        co2_files.UnusableFile, match=r"valid_time along one dimension, found \('run', 'step'\)"
    ):
        xco2(Co2File(str(tmp_path / "bad.nc"), "cams"))


def test_unstructured_cells_are_refused():
    data = xr.Dataset({"lat": ("cell", [0.0, 1.0]), "lon": ("cell", [5.0, 6.0])})
    with pytest.raises(ValueError, match=r"grid of rows and columns, found cells along \('cell',\)"):
        grids.locate(data, *PLACE)


def test_rotation_against_matrices():
    row, column = np.array([0.0, 3.0, -40.0, 70.0]), np.array([0.0, -5.0, 120.0, -170.0])
    back = grids.rotate(*unrotated(row, column, 43.0, -170.0), 43.0, -170.0)
    np.testing.assert_allclose(back, (row, column), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_regridding_conserves_whatever_the_layers(seed):
    """Random layers and values over random air: the sums agree, and uniform stays uniform."""
    generator = np.random.default_rng(seed)
    edges = np.sort(generator.uniform(0.0, 110_000.0, (1, 18)), axis=1)
    air = levels()
    values = generator.uniform(300.0, 500.0, (1, 2, 17))
    ours = co2_files.regrid(edges, values, air.pressure_pa, air.dry_air)
    column = ours @ atmosphere.level_weights(air.dry_air)[0]
    assert column[0, 0] == pytest.approx(source_xco2(edges[0], values[0, 0], air.dry_air[0]), rel=CONSERVED)
    flat = co2_files.regrid(edges, np.ones((1, 2, 17)), air.pressure_pa, air.dry_air)
    np.testing.assert_allclose(flat, 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": "co2"}, r"expected a variable co2, found .*pressure"),
        ({"drop": "pressure"}, r"expected a variable pressure, found .*co2"),
        ({"units": "kg m-3"}, r"expected co2 in one of ppm, .* found units 'kg m-3'"),
        ({"units": None}, r"found units 'none'"),
        ({"time_s": NOON + 86_400.0}, r"holds 2026-07-02T12:00:00Z, found times 2026-07-01T01:30:00Z to .*"),
        ({"north": 80.0}, r"inside the model's grid, latitude .* got 85"),
        ({"hole": True}, r"expected CO2 at every place, found missing values"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, said):
    file = carbontracker(tmp_path / "good.nc")
    with xr.open_dataset(file.path) as good:
        data = good.load()
    data = data.drop_vars(change.get("drop", []))
    if "units" in change:
        data["co2"].attrs = {"units": change["units"]} if change["units"] else {}
    if "north" in change:
        data = data.sel(latitude=slice(-80.0, change["north"]))
    if "hole" in change:
        data["co2"] = data["co2"].where(data["latitude"] < 40.0)
    path = tmp_path / "bad.nc"
    data.to_netcdf(path)
    places = (PLACE[0], PLACE[1]) if "north" not in change else (np.array([[85.0]]), np.array([[0.0]]))
    with pytest.raises(ValueError, match=f"bad.nc as carbontracker: .*{said}"):
        co2_files.profiles(Co2File(str(path), "carbontracker"), *places, levels(change.get("time_s", NOON)))


def test_files_that_are_none(tmp_path):
    with pytest.raises(ValueError, match=r"none\.nc as cams: .*No such file"):
        xco2(Co2File(str(tmp_path / "none.nc"), "cams"))
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(ValueError, match=r"text\.nc as cams"):
        xco2(Co2File(str(tmp_path / "text.nc"), "cams"))
    with pytest.raises(ValueError, match=r"expected a layout of cams, .*, got 'wrf'"):
        xco2(Co2File(str(tmp_path / "text.nc"), "wrf"))


def test_vertical_coordinates_are_asked_for(tmp_path):
    with xr.open_dataset(cams(tmp_path / "a.nc").path) as whole:
        data = whole.load()
    for change, said in (
        (data.drop_vars(["ap", "bp"]), "vertical coordinates ap and bp or .* or pressure_level"),
        (data.isel(hlevel=slice(1, None)), "one edge more than layers, found 20 layers and 20 edges"),
        (data.assign(ap=data["ap"].assign_attrs(units="m")), "expected ap in Pa, .*, found units 'm'"),
    ):
        path = tmp_path / f"{len(said)}.nc"
        change.to_netcdf(path)
        with pytest.raises(ValueError, match=said):
            xco2(Co2File(str(path), "cams"))


def test_only_what_is_needed_is_read(tmp_path, monkeypatch):
    """Two places far apart need 2 x 2 boxes each: rows and columns between them are not loaded."""
    sizes = []
    values = xr.DataArray.values.fget

    def spy(array):
        if array.ndim == 4:
            sizes.append(array.size)
        return values(array)

    monkeypatch.setattr(xr.DataArray, "values", property(spy))
    xco2(cams(tmp_path / "a.nc"))
    assert max(sizes) == 2 * 20 * 4 * 4
