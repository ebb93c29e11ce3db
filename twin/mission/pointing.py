"""Turn orbit and observation mode into attitude, footprints and viewing angles: geometry.nc."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from twin.constants import AU, BOOT_COUNT, FOV_ACROSS_RAD, FOVS, FRAME_US, OPERATION_MODES
from twin.mission import earth, orbit, programming
from twin.scenario import Scenario
from twin.timecodes import unix_seconds

SZA_LIMIT_DEG = 85.0  # deg, of glint: light and view graze the sea alike; other modes see any Sun, or none
VZA_LIMIT_DEG = 60.0  # deg, of target and city (assumption)
FRAMES_A_BOOT = 10**10  # frame counters; the id of a frame is boot count * 1e10 + counter
_FOV_ANGLES = (np.arange(FOVS) - 1.0) * FOV_ACROSS_RAD  # rad, FOV 1 left of flight
MARGIN_US = 2_000_000  # us, beyond the exposures

# name: (units, long name, standard name or None)
_ATTRIBUTES = {
    "sounding_id": ("1", "sounding identifier: boot count * 1e11 + frame * 10 + field of view", None),
    "frame": ("1", "frame counter", None),
    "fov": ("1", "field of view, 1 left of flight", None),
    "time_gps_us": ("1e-6 s", "GPS time of the middle of the exposure, from 1980-01-06T00:00:00", None),
    "time": ("s", "UTC of the middle of the exposure, from 1970-01-01T00:00:00Z without leap seconds", None),
    "latitude": ("degrees_north", "latitude of the footprint centre", "latitude"),
    "longitude": ("degrees_east", "longitude of the footprint centre", "longitude"),
    "vertex_latitude": ("degrees_north", "latitude of the footprint corners", None),
    "vertex_longitude": ("degrees_east", "longitude of the footprint corners", None),
    "solar_zenith_angle": ("degree", "zenith angle of the Sun, unrefracted", "solar_zenith_angle"),
    "sensor_zenith_angle": ("degree", "zenith angle of the satellite, unrefracted", "sensor_zenith_angle"),
    "solar_azimuth_angle": ("degree", "azimuth of the Sun, clockwise from north", "solar_azimuth_angle"),
    "sensor_azimuth_angle": (
        "degree",
        "azimuth of the satellite, clockwise from north",
        "sensor_azimuth_angle",
    ),
    "sensor_recession_speed": ("m s-1", "rate of the range from footprint to satellite", None),
    "sun_recession_speed": ("m s-1", "rate of the range from footprint to Sun", None),
    "earth_sun_distance": ("au", "distance from Earth's centre to the Sun", None),
    "operation_mode": ("1", "observation mode", None),
    "surface_altitude": ("m", "height of the surface above the WGS-84 ellipsoid", "surface_altitude"),
}


def line_of_sight(across_rad: np.ndarray) -> np.ndarray:
    """Return body-frame unit vectors (..., 3) at angles across track, positive to the right (+y)."""
    angle = np.asarray(across_rad)
    return np.stack([np.zeros_like(angle), np.sin(angle), np.cos(angle)], axis=-1)


def boresight(plan: programming.Plan, path: orbit.Trajectory, times_us: np.ndarray) -> np.ndarray:
    """Return +z of the body, Earth-fixed unit vectors (n, 3): geodetic nadir, specular point, or the aim."""
    satellite, _ = path.satellite(times_us)
    if plan.aim is not None:
        return earth.unit(plan.aim.point(times_us) - satellite)
    if plan.mode == "nadir":
        latitude, longitude, _ = earth.geodetic(satellite)
        return -earth.normal(latitude, longitude)
    return earth.unit(earth.specular_point(satellite, path.sun(times_us)[0]) - satellite)


def attitude(
    plan: programming.Plan, path: orbit.Trajectory, times_us: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return satellite positions (n, 3) m and matrices (n, 3, 3) whose columns are body x, y, z in ECEF.

    +x is the Earth-fixed velocity less its part along the boresight: in nadir the slit stands square to the
    ground track (yaw steering), elsewhere the body rolls and pitches and keeps the slit square to flight.
    """
    position, velocity = path.satellite(times_us)
    z = boresight(plan, path, times_us)
    x = earth.unit(velocity - earth.dot(velocity, z)[:, None] * z)
    return position, np.stack([x, np.cross(z, x), z], axis=-1)


def footprints(
    plan: programming.Plan, path: orbit.Trajectory, times_us: np.ndarray, across_rad: np.ndarray
) -> np.ndarray:
    """Return Earth-fixed ground points (n, angle, 3) m of lines of sight at the times."""
    position, body = attitude(plan, path, times_us)
    directions = np.einsum("nij,aj->nai", body, line_of_sight(across_rad))
    return earth.ray_hit(position[:, None, :], directions)


def observe(scenario: Scenario) -> xr.Dataset:
    """Return the true viewing geometry, one row per field of view of every planned frame, frame-major."""
    plan = programming.plan(scenario)
    path = orbit.trajectory(scenario, plan.start_us - MARGIN_US, plan.end_us + MARGIN_US)
    if plan.aim is not None:
        _check_view(plan, path)
    values = look(plan, path, BOOT_COUNT * FRAMES_A_BOOT + np.arange(plan.frames, dtype=np.int64))
    worst = float(values["solar_zenith_angle"].max())
    if plan.mode == "glint" and worst > SZA_LIMIT_DEG:
        raise ValueError(
            f"expected solar_zenith_angle up to {SZA_LIMIT_DEG} degrees in glint, got {worst:.1f}: "
            "change start, observation.start_latitude or observation.soundings"
        )
    return dataset(values, scenario)


def look(plan: programming.Plan, path: orbit.Trajectory, frame_id: np.ndarray) -> dict[str, np.ndarray]:
    """Return the variables of geometry.nc for the frames of a plan.

    frame_id  (frame,) boot count * 1e10 + frame counter
    """
    times = plan.exposure_middle_us()
    centre = footprints(plan, path, times, _FOV_ANGLES)
    values = _identity(times, plan.operation_mode, frame_id) | _viewing(path, times, centre)
    values["vertex_latitude"], values["vertex_longitude"] = _corners(plan, path)
    return values


def _check_view(plan: programming.Plan, path: orbit.Trajectory) -> None:
    """Refuse an aim seen too flat from the ground, or below its horizon."""
    assert plan.aim is not None
    first = plan.exposure_start_us()
    times = np.concatenate([first, first + FRAME_US])
    point = plan.aim.point(times)
    latitude, longitude, _ = earth.geodetic(point)
    zenith, _ = earth.horizontal((latitude, longitude), path.satellite(times)[0] - point)
    if zenith.max() > VZA_LIMIT_DEG:
        raise ValueError(
            f"expected a sensor zenith angle up to {VZA_LIMIT_DEG} degrees at the site in mode {plan.mode}, "
            f"got {zenith.max():.1f}: lower observation.soundings or observation.track_offset"
        )


def _identity(times_us: np.ndarray, mode: int, frame_id: np.ndarray) -> dict[str, np.ndarray]:
    count = len(times_us) * FOVS
    whole = np.repeat(frame_id, FOVS)
    fov = np.tile(np.arange(1, FOVS + 1, dtype=np.int8), len(times_us))
    time = np.repeat(np.asarray(times_us, dtype=np.int64), FOVS)
    return {
        "sounding_id": whole * 10 + fov,
        "frame": whole % FRAMES_A_BOOT,
        "fov": fov,
        "time_gps_us": time,
        "time": unix_seconds(time),
        "operation_mode": np.full(count, mode, dtype=np.int8),
        "surface_altitude": np.zeros(count),
    }


def _viewing(path: orbit.Trajectory, times_us: np.ndarray, ground_m: np.ndarray) -> dict[str, np.ndarray]:
    """Return places, angles deg, speeds m s-1 and Sun distance au of ground points (frame, fov, 3)."""
    latitude, longitude, _ = earth.geodetic(ground_m)
    (satellite, velocity), (sun, sun_velocity) = path.satellite(times_us), path.sun(times_us)
    to_satellite, to_sun = satellite[:, None] - ground_m, sun[:, None] - ground_m
    sza, saa = earth.horizontal((latitude, longitude), to_sun)
    vza, vaa = earth.horizontal((latitude, longitude), to_satellite)
    fields = {
        "latitude": latitude,
        "longitude": longitude,
        "solar_zenith_angle": sza,
        "solar_azimuth_angle": saa,
        "sensor_zenith_angle": vza,
        "sensor_azimuth_angle": vaa,
        "sensor_recession_speed": earth.dot(earth.unit(to_satellite), velocity[:, None]),
        "sun_recession_speed": earth.dot(earth.unit(to_sun), sun_velocity[:, None]),
        "earth_sun_distance": np.broadcast_to(np.linalg.norm(sun, axis=-1)[:, None] / AU, latitude.shape),
    }
    return {name: field.reshape(-1) for name, field in fields.items()}


def _corners(plan: programming.Plan, path: orbit.Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude (sounding, vertex): start-left, start-right, end-right, end-left."""
    edges = np.concatenate([_FOV_ANGLES[:1] - FOV_ACROSS_RAD / 2, _FOV_ANGLES + FOV_ACROSS_RAD / 2])
    first = plan.exposure_start_us()
    start, end = (footprints(plan, path, t, edges) for t in (first, first + FRAME_US))
    vertices = np.stack([start[:, :-1], start[:, 1:], end[:, 1:], end[:, :-1]], axis=2)
    latitude, longitude, _ = earth.geodetic(vertices.reshape(-1, 4, 3))
    return latitude, longitude


def dataset(values: dict[str, np.ndarray], scenario: Scenario) -> xr.Dataset:
    made = xr.Dataset(
        {
            name: (("sounding", "vertex") if values[name].ndim == 2 else ("sounding",), values[name])
            for name in _ATTRIBUTES
        }
    )
    for name, (units, long_name, standard_name) in _ATTRIBUTES.items():
        made[name].attrs = {"units": units, "long_name": long_name}
        if standard_name:
            made[name].attrs["standard_name"] = standard_name
    mode = made["operation_mode"].attrs
    mode["flag_values"] = np.array(list(OPERATION_MODES.values()), dtype=np.int8)
    mode["flag_meanings"] = " ".join(OPERATION_MODES)
    made.attrs = {
        "title": "True viewing geometry (simulation)",
        "Conventions": "CF-1.11",
        "source": "simulation",
        "orbit": orbit.describe(scenario),
    }
    return made


def read(path: Path | str) -> xr.Dataset:
    """Load geometry.nc with its times left as numbers."""
    with xr.open_dataset(path, decode_times=False) as dataset:
        return dataset.load()
