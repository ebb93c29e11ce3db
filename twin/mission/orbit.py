"""Turn a repeat cycle and a local time into a Sun-synchronous orbit and its Earth-fixed trajectory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import CubicHermiteSpline, CubicSpline
from scipy.optimize import brentq, fsolve

from twin import scenario as models
from twin.constants import AU, DAY_S, GM_EARTH, J2_EARTH, TROPICAL_YEAR_D, TT_MINUS_GPS_S, WGS84_A
from twin.mission.earth import geodetic, normal, surface_point, unit
from twin.timecodes import DAY_US, gps_us, utc

GRID_US = 30_000_000  # us, nodes of the trajectory
CHUNK_NODES = 240  # of the grid, worked out and kept together: 2 hours
_LONGITUDE_TOLERANCE_DEG = 1e-6  # deg, 0.1 m: of a track over a site
_SPARE_NODES = 6  # grid nodes on each side, to keep end effects of the splines out
_GPS_EPOCH_JD = 2_444_244.5  # d, 1980-01-06
_SGP4_EPOCH = datetime(1949, 12, 31)  # day 0 of sgp4init
_MEAN_SUN_RATE = 2.0 * np.pi / (TROPICAL_YEAR_D * DAY_S)  # rad s-1, through the equinox of date
_FROZEN_ECCENTRICITY = 1e-6  # mean, long-period J3 term removed: what is left is the frozen orbit


@dataclass(frozen=True)
class RepeatOrbit:
    semi_major_axis_m: float
    inclination_deg: float
    nodal_period_s: float


def repeat_orbit(days: int, revs: int) -> RepeatOrbit:
    """Solve the circular Sun-synchronous orbit under secular J2 (Vallado 2013, 9.6.2 and 11.4.1).

    The node turns with the mean Sun, so `revs` nodal periods last `days` mean solar days exactly.
    """
    period = days * DAY_S / revs
    a, cos_i = (GM_EARTH * (period / (2.0 * np.pi)) ** 2) ** (1 / 3), 0.0
    for _ in range(60):
        n, k = np.sqrt(GM_EARTH / a**3), 1.5 * J2_EARTH * (WGS84_A / a) ** 2
        cos_i = -_MEAN_SUN_RATE / (k * n)
        if abs(cos_i) > 1.0:
            raise ValueError(
                f"no Sun-synchronous orbit has {revs} revs in {days} days: expected 11..16 a day"
            )
        rate = 2.0 * np.pi / period / (1.0 + k * (4.0 * cos_i**2 - 1.0))
        a = (GM_EARTH / rate**2) ** (1 / 3)
    return RepeatOrbit(float(a), float(np.degrees(np.arccos(cos_i))), period)


def local_time_hours(text: str) -> float:
    hours, minutes = text.split(":")
    return int(hours) + int(minutes) / 60.0


class Trajectory:
    """Earth-fixed satellite and Sun between two times, from a 30 s grid (ITRS without polar motion)."""

    def __init__(self, satellite: Any, start_us: int, end_us: int) -> None:
        first = start_us // GRID_US - _SPARE_NODES
        last = -(-end_us // GRID_US) + _SPARE_NODES
        self.start_us, self.end_us = start_us, end_us
        self._origin_us = first * GRID_US
        self._nodes = first, last
        seconds = np.arange(last + 1 - first) * GRID_US / 1e6
        position, velocity = _gridded(first, last, lambda number: _satellite_chunk(satellite, number))
        self._satellite = CubicHermiteSpline(seconds, position, velocity)
        self._satellite_rate = CubicSpline(seconds, velocity)  # the Hermite derivative is 300 times worse
        self._node_seconds = seconds

    @cached_property
    def _sun(self) -> CubicSpline:
        (sun,) = _gridded(*self._nodes, lambda number: (_sun_chunk(number),))
        return CubicSpline(self._node_seconds, sun)

    def _seconds(self, times_us: np.ndarray) -> np.ndarray:
        times = np.asarray(times_us)
        if np.any(times < self.start_us) or np.any(times > self.end_us):
            raise ValueError(f"expected times in {self.start_us}..{self.end_us} GPS us: extend the path")
        return (times - self._origin_us) / 1e6

    def satellite(self, times_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return position m and velocity m s-1, (..., 3), at int64 GPS us."""
        seconds = self._seconds(times_us)
        return self._satellite(seconds), self._satellite_rate(seconds)

    def sun(self, times_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return apparent geocentric position m and its Earth-fixed rate m s-1, (..., 3)."""
        seconds = self._seconds(times_us)
        return self._sun(seconds), self._sun(seconds, 1)


def _gridded(first: int, last: int, chunk: Callable[[int], tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    """Return what chunks hold (node, ...), from node first to last of the grid from GPS time 0."""
    numbers = range(first // CHUNK_NODES, last // CHUNK_NODES + 1)
    start = numbers[0] * CHUNK_NODES
    columns = zip(*(chunk(number) for number in numbers), strict=True)
    return [np.concatenate(parts)[first - start : last + 1 - start] for parts in columns]


@lru_cache(maxsize=4096)
def _satellite_chunk(satellite: Any, number: int) -> tuple[np.ndarray, np.ndarray]:
    return _itrs_at(satellite, _chunk_time(number))


@lru_cache(maxsize=4096)
def _sun_chunk(number: int) -> np.ndarray:
    return _sun_at(_chunk_time(number))


@lru_cache(maxsize=64)
def _chunk_time(number: int) -> Any:
    """Return the skyfield Time of a chunk, which keeps its nutation: most of the work."""
    return skyfield_time((number * CHUNK_NODES + np.arange(CHUNK_NODES, dtype=np.int64)) * GRID_US)


def trajectory(scenario: models.Scenario, start_us: int, end_us: int) -> Trajectory:
    return Trajectory(flown(scenario), start_us, end_us)


def flown(scenario: models.Scenario) -> Any:
    """Return the skyfield EarthSatellite: over the start latitude at `start`, or over the site nearest it."""
    seen = scenario.observation
    if seen.site is not None:
        return overpass(scenario).satellite
    assert seen.start_latitude is not None  # the scenario's check
    return satellite(scenario.orbit, scenario.start, seen.start_latitude, seen.ascending)


@lru_cache(maxsize=1)
def timescale() -> Any:
    from skyfield.api import load

    return load.timescale(builtin=True)


def skyfield_time(times_us: Any) -> Any:
    """Turn int64 GPS us into skyfield's Time."""
    times = np.asarray(times_us, dtype=np.int64)
    days, rest_us = np.divmod(times, DAY_US)
    return timescale().tt_jd(_GPS_EPOCH_JD + days, (rest_us / 1e6 + TT_MINUS_GPS_S) / DAY_S)


def itrs(satellite: Any, times_us: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return Earth-fixed position m and velocity m s-1, (..., 3), straight from SGP4 and full nutation."""
    return _itrs_at(satellite, skyfield_time(times_us))


def _itrs_at(satellite: Any, time: Any) -> tuple[np.ndarray, np.ndarray]:
    from skyfield.framelib import itrs as frame

    position, velocity = satellite.at(time).frame_xyz_and_velocity(frame)
    return np.moveaxis(position.m, 0, -1), np.moveaxis(velocity.m_per_s, 0, -1)


def sun_itrs(times_us: Any) -> np.ndarray:
    """Return the apparent geocentric Sun in ITRS, (..., 3) m, from JPL DE421."""
    return _sun_at(skyfield_time(times_us))


def _sun_at(time: Any) -> np.ndarray:
    import skyfield_data
    from skyfield.framelib import itrs as frame
    from skyfield.jpllib import SpiceKernel

    # The package's own path function warns when its unused Earth orientation file is out of date.
    kernel = SpiceKernel(str(Path(skyfield_data.__file__).parent / "data" / "de421.bsp"))
    try:
        seen = kernel["earth"].at(time).observe(kernel["sun"]).apparent()
        return np.moveaxis(seen.frame_xyz(frame).au, 0, -1) * AU
    finally:
        kernel.close()


@lru_cache(maxsize=8)
def satellite(
    orbit: models.Orbit, start: datetime, start_latitude_deg: float, ascending: bool = False
) -> Any:
    """Return the skyfield EarthSatellite that crosses the latitude southbound (or northbound) at `start`."""
    mean_motion, inclination = _sgp4_mean_elements(orbit.repeat_days, orbit.repeat_revs)
    argument = np.arcsin(np.clip(np.sin(np.radians(start_latitude_deg)) / np.sin(inclination), -1, 1))
    argument = argument if ascending else np.pi - argument
    wanted = local_time_hours(orbit.local_time_descending_node)
    node = _node_from_local_time(start, wanted)
    for _ in range(4):  # short-period terms move node and latitude by up to 0.02 degree
        found = earth_satellite(start, mean_motion, inclination, argument, node)
        argument += _latitude_step(found, start, start_latitude_deg)
        found = earth_satellite(start, mean_motion, inclination, argument, node)
        _, local = descending_node(found, gps_us(start))
        node += ((wanted - local + 12.0) % 24.0 - 12.0) * np.pi / 12.0
    return earth_satellite(start, mean_motion, inclination, argument, node)


def earth_satellite(
    start: datetime, mean_motion: float, inclination: float, argument: float, node: float
) -> Any:
    """Make SGP4 elements at `start`: rad min-1 (Kozai), rad, rad, rad; no drag: the orbit is maintained."""
    from sgp4.api import WGS72, Satrec

    record = Satrec()
    epoch_d = (utc(gps_us(start)).replace(tzinfo=None) - _SGP4_EPOCH).total_seconds() / DAY_S
    turn = 2.0 * np.pi
    record.sgp4init(
        WGS72, "i", 1, epoch_d, 0.0, 0.0, 0.0,
        _FROZEN_ECCENTRICITY, 0.0, inclination, argument % turn, mean_motion, node % turn,
    )  # fmt: skip
    return _steady_class().from_satrec(record, timescale())


@lru_cache(maxsize=1)
def _steady_class() -> Any:
    """Return an EarthSatellite that an inserted leap second does not set back.

    skyfield counts the time since the epoch in UTC, so that its satellite stands still for a leap second,
    7.5 km of the orbit. Here the difference of TAI and UTC stays that of the epoch.
    """
    from skyfield.api import EarthSatellite

    class Steady(EarthSatellite):  # type: ignore[misc]
        def _position_and_velocity_TEME_km(self, t: Any) -> tuple[Any, Any, Any]:
            whole, fraction = t.whole, t.tai_fraction - self.epoch._leap_seconds() / DAY_S
            if not np.ndim(whole):
                error, position, velocity = self.model.sgp4(whole, fraction)
                return np.array(position), np.array(velocity), error or None
            errors, position, velocity = self.model.sgp4_array(whole, fraction)
            return position.T, velocity.T, [error or None for error in errors.tolist()]

    return Steady


@lru_cache(maxsize=8)
def _sgp4_mean_elements(days: int, revs: int) -> tuple[float, float]:
    """Return Kozai mean motion rad min-1 and inclination rad whose SGP4 secular rates repeat.

    SGP4 adds J2 squared and J4 to the J2 rates and rescales the mean motion it is given (Kozai to Brouwer),
    so both are solved on the rates the propagator itself reports.
    """
    design = repeat_orbit(days, revs)
    start = datetime(2026, 1, 1)
    scale = np.array([2.0 * np.pi * 60.0 / design.nodal_period_s, np.radians(design.inclination_deg)])
    goal = np.array([2.0 * np.pi / design.nodal_period_s, _MEAN_SUN_RATE]) * 60.0

    def misfit(x: np.ndarray) -> np.ndarray:
        record = earth_satellite(start, x[0] * scale[0], x[1] * scale[1], 0.0, 0.0).model
        return np.array([record.mdot + record.argpdot, record.nodedot]) / goal - 1.0

    solution = fsolve(misfit, np.ones(2), xtol=1e-13)
    if np.max(np.abs(misfit(solution))) > 1e-9:
        raise ValueError(f"no SGP4 orbit of {revs} revs in {days} days: check orbit.repeat_revs")
    return float(solution[0] * scale[0]), float(solution[1] * scale[1])


def _node_from_local_time(start: datetime, hours: float) -> float:
    """Return the right ascension of the ascending node, rad, for a mean local time of the descending node."""
    time = skyfield_time(gps_us(start))
    ut1_hours = (time.ut1 + 0.5) % 1.0 * 24.0
    return (time.gmst + hours - ut1_hours + 12.0) % 24.0 * np.pi / 12.0


def _latitude_step(satellite: Any, start: datetime, latitude_deg: float) -> float:
    """Return the change of the argument of latitude, rad, that brings the wanted latitude to `start`."""
    at = gps_us(start)
    position, _ = itrs(satellite, np.array([at, at + 1_000_000]))
    found = np.radians(geodetic(position)[0])
    seconds = (np.radians(latitude_deg) - found[0]) / (found[1] - found[0])
    return float(seconds * satellite.model.no_kozai / 60.0)


def descending_node(satellite: Any, near_us: int) -> tuple[int, float]:
    """Return GPS us and mean local solar time (h, UT1 + longitude) of the node within half a revolution."""
    quarter = 5_870_000_000 // 4
    for first in (near_us, near_us - 2 * quarter, near_us - quarter, near_us + quarter):
        edges = np.array([first, first + 2 * quarter])
        heights = itrs(satellite, edges)[0][:, 2]
        if heights[0] >= 0.0 > heights[1]:
            break
    else:
        raise ValueError("found no southbound equator crossing near the start: check the orbit")
    offset = brentq(
        lambda s: itrs(satellite, first + round(s * 1e6))[0][2], 0.0, 2 * quarter / 1e6, xtol=1e-6
    )
    at = first + round(offset * 1e6)
    longitude_h = geodetic(itrs(satellite, at)[0])[1] / 15.0
    ut1_hours = (skyfield_time(at).ut1 + 0.5) % 1.0 * 24.0
    return at, float((ut1_hours + longitude_h) % 24.0)


@dataclass(frozen=True)
class Overpass:
    """A pass by a site; along and across (right of flight) are horizontal there, Earth-fixed units (3,)."""

    satellite: Any
    at_us: int  # GPS us, closest approach
    site_m: np.ndarray
    along: np.ndarray
    across: np.ndarray


def overpass(scenario: models.Scenario) -> Overpass:
    """Find the pass by the site nearest `start`: a Sun-synchronous orbit has one a day and direction.

    The phase of the orbit is free, the local time of its node is not: the time of day follows from the site.
    """
    seen = scenario.observation
    if seen.site is None:
        raise ValueError(f"expected observation.site in mode {seen.mode}, got none")
    return _overpass(scenario.orbit, scenario.start, seen.site, seen.track_offset, seen.ascending)


@lru_cache(maxsize=8)
def _overpass(
    orbit: models.Orbit, start: datetime, site: models.Site, offset_m: float, ascending: bool
) -> Overpass:
    up = normal(np.array(site.latitude), np.array(site.longitude))
    centre = surface_point(up)
    below = centre
    for _ in range(3 if offset_m else 1):  # the track's direction is that of the pass found before
        at_us, craft = _over(orbit, start, below, ascending)
        velocity = itrs(craft, at_us)[1]
        along = unit(velocity - (velocity @ up) * up)
        across = np.cross(along, up)
        east = np.array([-centre[1], centre[0], 0.0])
        below = centre + offset_m * np.sign(across @ east) * across
    return Overpass(craft, at_us, centre, along, across)


def _over(orbit: models.Orbit, start: datetime, below_m: np.ndarray, ascending: bool) -> tuple[int, Any]:
    """Return GPS us within half a day of `start`, and the satellite that is then right above a point."""
    latitude, longitude, _ = (float(x) for x in geodetic(below_m))
    at_us = gps_us(start)
    for _ in range(8):
        craft = satellite(orbit, utc(at_us), latitude, ascending)
        found = float(geodetic(itrs(craft, at_us)[0])[1])
        ahead_deg = (found - longitude + 180.0) % 360.0 - 180.0
        if abs(ahead_deg) < _LONGITUDE_TOLERANCE_DEG:
            return at_us, craft
        at_us += round(ahead_deg / 360.0 * DAY_US)  # the node keeps its local time as the Earth turns
    raise ValueError(f"found no pass over {latitude:.2f}, {longitude:.2f} degrees: change observation.site")


def describe(scenario: models.Scenario) -> str:
    """Write one line for logs and reports."""
    design = repeat_orbit(scenario.orbit.repeat_days, scenario.orbit.repeat_revs)
    seen = scenario.observation
    if seen.site is None:
        begin = f"from {utc(gps_us(scenario.start)).isoformat()}"
    else:
        closest = utc(overpass(scenario).at_us).isoformat(timespec="milliseconds")
        begin = f"past {seen.site.latitude:.2f}, {seen.site.longitude:.2f} deg at {closest}"
    return (
        f"{scenario.orbit.repeat_revs} revs in {scenario.orbit.repeat_days} d, "
        f"{(design.semi_major_axis_m - WGS84_A) / 1e3:.1f} km, {design.inclination_deg:.2f} deg, "
        f"LTDN {scenario.orbit.local_time_descending_node} {begin}"
    )
