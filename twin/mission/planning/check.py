"""Tell where a timeline breaks a rule, from the timeline itself and the orbit, not from a method's tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.mission import earth, orbit, pointing, programming, stations
from twin.mission.planning import limits, pointings
from twin.mission.resources import ATTITUDE_BITS, FRAME_BITS, pass_bits, slew_us
from twin.mission.timeline import Activity, Contact, Timeline
from twin.operations import WITH_SITE, Mission
from twin.scenario import Scenario
from twin.timecodes import DAY_US, utc_iso

ROUNDING_DEG = 1e-3  # deg, of a limit met exactly
_SECOND_US = 1_000_000


def require(scenario: Scenario, plan: Timeline) -> None:
    """Raise BadInput with the first broken rule."""
    broken = next(violations(scenario, plan), None)
    if broken:
        raise BadInput(f"programming {plan.method}: {broken}")


def violations(scenario: Scenario, plan: Timeline) -> Iterator[str]:
    """Give every broken rule in words: expected .., got ..: do .."""
    assert scenario.mission is not None
    ordered = sorted(plan.activities, key=lambda activity: activity.start_us)
    for activity in ordered:
        yield from _shape(activity, plan)
    yield from _requests(ordered, scenario.mission)
    paths = Paths(scenario)
    for one, other in pairwise(ordered):
        yield from _follow(one, other, paths)
    for activity in ordered:
        yield from _view(activity, paths)
    yield from _contacts(plan, paths)
    yield from _memory(plan, ordered, int(scenario.mission.memory))


class Paths:
    """The orbit around a time, a day of it held at once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._day = -1
        self._path: orbit.Trajectory | None = None

    def at(self, time_us: int) -> orbit.Trajectory:
        day = time_us // DAY_US
        if self._path is None or day != self._day:
            first_us = day * DAY_US - limits.CONTEXT_US
            last_us = (day + 1) * DAY_US + limits.CONTEXT_US
            self._day, self._path = day, orbit.trajectory(self._scenario, first_us, last_us)
        return self._path


def _named(activity: Activity) -> str:
    return f"{activity.mode} {activity.request or 'by default'} at {utc_iso(activity.start_us)}"


def _shape(activity: Activity, plan: Timeline) -> Iterator[str]:
    duration_us = activity.end_us - activity.start_us
    if not plan.start_us <= activity.start_us or activity.end_us > plan.end_us:
        yield f"{_named(activity)}: expected a time within the span, got one beyond: leave it out"
    if activity.mode == "city":
        sweeps = programming.sweep_starts(0, activity.sweeps or 3)
        whole = duration_us == sweeps[-1][-1] + FRAME_US - sweeps[0][0]
    else:
        whole = duration_us > 0 and duration_us % FRAME_US == 0
    if not whole:
        yield f"{_named(activity)}: expected whole frames or sweeps, got {duration_us} us: correct its end"


def _requests(activities: list[Activity], mission: Mission) -> Iterator[str]:
    """Compare each activity with what was asked for; nothing is served twice."""
    asked = {request.name: request for request in mission.requests}
    seen: set[str] = set()
    for activity in activities:
        name = activity.request
        if not name:
            allowed = {"nadir": mission.observe_land, "glint": mission.observe_ocean}
            if not allowed.get(activity.mode, False):
                yield f"{_named(activity)}: expected a request to ask for it, got none: leave it out"
            continue
        if name not in asked:
            yield f"{_named(activity)}: expected a request of the mission, got {name}: leave it out"
            continue
        if name in seen:
            yield f"{_named(activity)}: expected {name} once, got it twice: leave one out"
        seen.add(name)
        request = asked[name]
        length = request.sweeps if request.kind == "city" else request.frames
        wanted = request.kind, request.latitude, request.longitude, length
        length = activity.sweeps or 0 if activity.mode == "city" else pointings.frames_of(activity)
        got = activity.mode, activity.latitude_deg, activity.longitude_deg, length
        if wanted != got:
            yield f"{_named(activity)}: expected what {name} asks for, {wanted}, got {got}: correct it"


def _follow(one: Activity, other: Activity, paths: Paths) -> Iterator[str]:
    gap_us = other.start_us - one.end_us
    if gap_us < 0:
        early = f"{-gap_us} us before its end"
        yield f"{_named(other)}: expected a start after {_named(one)}, got {early}: move it"
    elif gap_us < limits.LONGEST_SLEW_US:
        bodies = [
            pointings.bodies(activity, paths.at(time_us), np.array([time_us]))[0]
            for activity, time_us in ((one, one.end_us), (other, other.start_us))
        ]
        needed_us = slew_us(float(pointings.turn_deg(*bodies)))
        if gap_us < needed_us:
            yield (
                f"{_named(other)}: expected {needed_us / 1e6:.1f} s to slew and settle after {_named(one)}, "
                f"got {gap_us / 1e6:.1f} s: leave one out"
            )


def _view(activity: Activity, paths: Paths) -> Iterator[str]:
    """Look at view and Sun at every exposure."""
    path = paths.at(activity.start_us)
    if activity.end_us > path.end_us:  # default observation over midnight: its second half
        path = paths.at(activity.end_us)
    plan = pointings.plan_of(activity, path)
    times = np.append(plan.exposure_start_us(), activity.end_us)
    times = times[(times >= path.start_us) & (times <= path.end_us)]
    satellite, bodies = pointing.attitude(plan, path, times)
    below = earth.ecef(*earth.geodetic(satellite)[:2])
    shut = activity.mode in ("dark", "lamp", "sun")
    ground = below if shut else earth.ray_hit(satellite, bodies[:, :, 2])
    place = earth.geodetic(ground)[:2]
    sza, vza = (earth.horizontal(place, to - ground)[0] for to in (path.sun(times)[0], satellite))
    if activity.mode in WITH_SITE and vza.max() > limits.SITE_VZA_DEG + ROUNDING_DEG:
        limit = f"within {limits.SITE_VZA_DEG:g} degrees of the zenith"
        yield f"{_named(activity)}: expected the satellite {limit}, got {vza.max():.1f}: choose another pass"
    lowest, highest = _sza_limits(activity.mode)
    if sza.max() > highest + ROUNDING_DEG or sza.min() < lowest - ROUNDING_DEG:
        yield (
            f"{_named(activity)}: expected a solar zenith angle of {lowest:g} to {highest:g} degrees, "
            f"got {sza.min():.1f} to {sza.max():.1f}: choose another time"
        )


def _sza_limits(mode: str) -> tuple[float, float]:
    return {
        "nadir": (0.0, limits.NADIR_SZA_DEG),
        "glint": (0.0, limits.GLINT_SZA_DEG),
        "dark": (limits.NIGHT_SZA_DEG, 180.0),
        "lamp": (limits.NIGHT_SZA_DEG, 180.0),
        "sun": limits.SUN_SZA_DEG,
    }.get(mode, (0.0, limits.SITE_SZA_DEG))


def _contacts(plan: Timeline, paths: Paths) -> Iterator[str]:
    """Look that stations see the satellite, and that the X-band link serves one at once."""
    for contact in plan.contacts:
        times = np.array([contact.aos_us, contact.los_us])
        station = stations.named([contact.station])[0]
        lowest = station.elevation_deg(paths.at(contact.aos_us).satellite(times)[0]).min()
        if lowest < stations.MASK_DEG - ROUNDING_DEG:
            yield (
                f"contact {contact.station} at {utc_iso(contact.aos_us)}: expected an elevation of "
                f"{stations.MASK_DEG:g} degrees or more, got {lowest:.2f}: correct its times"
            )
    for one, other in pairwise(_x_band(plan)):
        if other.aos_us < one.los_us:
            yield (
                f"contact {other.station} at {utc_iso(other.aos_us)}: expected one X-band link at once, got "
                f"{one.station} until {utc_iso(one.los_us)}: hand over"
            )


def _x_band(plan: Timeline) -> list[Contact]:
    return sorted((one for one in plan.contacts if one.band == "x"), key=lambda one: one.aos_us)


def _memory(plan: Timeline, activities: list[Activity], memory_bits: int) -> Iterator[str]:
    """Count frame by frame what is on board as each pass begins, and at the end."""
    ends = np.sort(np.concatenate([[], *(_frame_ends_us(activity) for activity in activities)]))

    def made_bits(time_us: int) -> int:
        frames = int(np.searchsorted(ends, time_us, side="right"))
        return frames * FRAME_BITS + (time_us - plan.start_us) // _SECOND_US * ATTITUDE_BITS

    level, made = 0, 0
    for contact in [*_x_band(plan), None]:
        at_us = plan.end_us if contact is None else contact.aos_us
        level, made = level + made_bits(at_us) - made, made_bits(at_us)
        if level > memory_bits:
            yield (
                f"memory at {utc_iso(at_us)}: expected at most {memory_bits} bit, got {level}: "
                "observe less before it"
            )
        if contact is not None:
            level -= min(level, pass_bits(contact.los_us - contact.aos_us))


def _frame_ends_us(activity: Activity) -> np.ndarray:
    if activity.mode == "city":
        middle_us = (activity.start_us + activity.end_us) // 2
        starts = np.concatenate(programming.sweep_starts(middle_us, activity.sweeps or 3))
    else:
        starts = np.arange(activity.start_us, activity.end_us, FRAME_US)
    return starts + FRAME_US
