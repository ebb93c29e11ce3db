"""Turn requests into the activities that orbit, view and Sun allow: where, when, how well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from twin.constants import FRAME_US
from twin.mission import earth, orbit, programming
from twin.mission.planning import limits, pointings
from twin.mission.planning.defaults import runs
from twin.mission.timeline import Activity
from twin.operations import WITH_SITE, Request

NO_VIEW = f"no visibility: never within {limits.SITE_VZA_DEG:g} degrees of the site's zenith"
SUN_DOWN = f"the Sun is lower than {90 - limits.SITE_SZA_DEG:g} degrees at every pass"
NO_NIGHT = "no night side long enough"
NO_SUN = "no terminator to see the Sun from"
_HALVINGS = 24  # of 10 s to 1 us

Candidate = tuple[Activity, float]  # and its share of the request's worth


def find(
    requests: Sequence[Request], path: orbit.Trajectory, start_us: int, end_us: int
) -> tuple[list[Candidate], dict[str, str]]:
    """Return what could be done within the span, in the order of requests, and why a request has nothing."""
    found: list[Candidate] = []
    reasons: dict[str, str] = {}
    sites = [request for request in requests if request.kind in WITH_SITE]
    passes = iter(approaches(path, _places(sites), start_us, end_us))
    times = np.arange(start_us, end_us, limits.STEP_US)
    sza = sza_below_deg(path, times)
    for request in requests:
        if request.kind in WITH_SITE:
            options, reason = _over_site(request, path, next(passes).tolist())
        else:
            options, reason = list(_calibrations(request, times, sza)), _no_calibration(request)
        options = [(a, share) for a, share in options if start_us <= a.start_us and a.end_us <= end_us]
        found += options
        if not options:
            reasons[request.name] = reason
    return found, reasons


def approaches(path: orbit.Trajectory, sites_m: np.ndarray, start_us: int, end_us: int) -> list[np.ndarray]:
    """Return for each site (n, 3) m the GPS us of closest approach within the limit from its zenith."""
    if not len(sites_m):
        return []
    times = np.append(np.arange(start_us, end_us, limits.STEP_US), end_us)
    position, velocity = path.satellite(times)
    rate = earth.dot(position, velocity)[:, None] - velocity @ sites_m.T  # half the rate of the range squared
    step, site = np.nonzero((rate[:-1] < 0.0) & (rate[1:] >= 0.0))
    at = _closest(path, sites_m[site], times[step], times[step + 1])
    near = zenith_deg(sites_m[site], path.satellite(at)[0]) <= limits.SITE_VZA_DEG
    return [np.sort(at[near & (site == n)]) for n in range(len(sites_m))]


def zenith_deg(site_m: np.ndarray, seen_m: np.ndarray) -> np.ndarray:
    """Return the zenith angle (...) at points of the ellipsoid (..., 3) of what is seen from them."""
    latitude, longitude, _ = earth.geodetic(site_m)
    return earth.horizontal((latitude, longitude), seen_m - site_m)[0]


def sza_below_deg(path: orbit.Trajectory, times_us: np.ndarray) -> np.ndarray:
    """Return the solar zenith angle (n,) at the point below the satellite."""
    latitude, longitude, _ = earth.geodetic(path.satellite(times_us)[0])
    below = earth.ecef(latitude, longitude)
    return earth.horizontal((latitude, longitude), path.sun(times_us)[0] - below)[0]


def site_angles(activity: Activity, path: orbit.Trajectory) -> tuple[float, float]:
    """Return the largest zenith angles, deg, of satellite and Sun where target or city is looked at."""
    plan = pointings.plan_of(activity, path)
    assert plan.aim is not None
    times = np.concatenate([plan.exposure_start_us(), [activity.end_us]])
    ground = plan.aim.point(times)
    satellite, sun = path.satellite(times)[0], path.sun(times)[0]
    return float(zenith_deg(ground, satellite).max()), float(zenith_deg(ground, sun).max())


def _places(requests: Sequence[Request]) -> np.ndarray:
    latitudes = np.array([request.latitude for request in requests], dtype=float)
    longitudes = np.array([request.longitude for request in requests], dtype=float)
    return earth.ecef(latitudes, longitudes)


def _closest(
    path: orbit.Trajectory, site_m: np.ndarray, low_us: np.ndarray, high_us: np.ndarray
) -> np.ndarray:
    """Halve each interval in which the range stops to fall."""
    low, high = low_us.copy(), high_us.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        position, velocity = path.satellite(middle)
        falls = earth.dot(position - site_m, velocity) < 0.0
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    return high


def _over_site(
    request: Request, path: orbit.Trajectory, closest_us: Sequence[int]
) -> tuple[list[Candidate], str]:
    """Return the looks at a site around its passes, or why there is none."""
    options, sun_down = [], False
    for at_us in closest_us:
        for shift_us in limits.SHIFTS_US if request.kind == "target" else (0,):
            look = _look(request, at_us + shift_us)
            if look.start_us < path.start_us or look.end_us > path.end_us:
                continue
            vza, sza = site_angles(look, path)
            sun_down |= sza > limits.SITE_SZA_DEG
            if vza <= limits.SITE_VZA_DEG and sza <= limits.SITE_SZA_DEG:
                options.append((look, limits.SHIFTED_WORTH if shift_us else 1.0))
    return options, SUN_DOWN if sun_down else NO_VIEW


def _look(request: Request, middle_us: int) -> Activity:
    place = request.latitude, request.longitude
    if request.kind == "target":
        start_us = middle_us - request.frames * FRAME_US // 2
        return Activity(start_us, start_us + request.frames * FRAME_US, "target", request.name, *place)
    sweeps = programming.sweep_starts(middle_us, request.sweeps)
    return Activity(
        sweeps[0][0], sweeps[-1][-1] + FRAME_US, "city", request.name, *place, sweeps=request.sweeps
    )


def _calibrations(request: Request, times: np.ndarray, sza: np.ndarray) -> Iterator[Candidate]:
    """Give dark and lamp several times in each night, the Sun the middle of each twilight."""
    low, high = limits.SUN_SZA_DEG
    dark = request.kind in ("dark", "lamp")
    fits = sza >= limits.NIGHT_SZA_DEG if dark else (sza >= low) & (sza <= high)
    duration_us = request.frames * FRAME_US
    for inside, a, b in runs(fits):
        first_us, spare_us = int(times[a]), int(times[b - 1] - times[a]) - duration_us
        if not inside or spare_us < 0:
            continue
        shares = np.linspace(0.0, 1.0, limits.STARTS_A_NIGHT) if dark else [0.5]
        for share in shares:
            start_us = first_us + round(share * spare_us)
            yield Activity(start_us, start_us + duration_us, request.kind, request.name), 1.0


def _no_calibration(request: Request) -> str:
    return NO_SUN if request.kind == "sun" else NO_NIGHT
