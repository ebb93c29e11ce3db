"""The checker lets a sound plan pass and names each rule that is broken, one at a time."""

from dataclasses import replace

import pytest

from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.mission.planning import check, rolling
from twin.mission.timeline import Activity, Timeline

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
REQUESTS = [
    {"name": "orleans", "kind": "target", "latitude": 47.97, "longitude": 2.11, "priority": 50},
    {"name": "izana", "kind": "target", "latitude": 28.3, "longitude": -16.5},
    {"name": "lagos", "kind": "city", "latitude": 6.52, "longitude": 3.38, "priority": 20},
    {"name": "dark", "kind": "dark"},
    {"name": "sun", "kind": "sun"},
]


@pytest.fixture(scope="module")
def scenario(mission):
    return mission(3, REQUESTS)


@pytest.fixture(scope="module")
def plan(scenario):
    return rolling.plan(scenario)


def found(scenario, plan) -> str:
    return "\n".join(check.violations(scenario, plan))


def activity(plan: Timeline, key: str) -> Activity:
    return next(one for one in plan.activities if key in (one.request, one.mode))


def swap(plan: Timeline, old: Activity, *new: Activity) -> Timeline:
    return replace(plan, activities=tuple(one for one in plan.activities if one != old) + new)


def moved(one: Activity, shift_us: int) -> Activity:
    return replace(one, start_us=one.start_us + shift_us, end_us=one.end_us + shift_us)


def only(plan: Timeline, *activities: Activity) -> Timeline:
    return replace(plan, activities=activities)


def test_a_sound_plan_passes(scenario, plan):
    assert {one.request for one in plan.activities} >= {"orleans", "lagos", "dark", "sun"}
    assert found(scenario, plan) == ""
    check.require(scenario, plan)


def test_an_overlap(scenario, plan):
    dark = activity(plan, "dark")
    lying_over = replace(dark, request="lamp", mode="lamp", start_us=dark.end_us - 10 * FRAME_US)
    lying_over = replace(lying_over, end_us=lying_over.start_us + 40 * FRAME_US)
    broken = only(plan, dark, lying_over)
    assert "after dark dark at" in found(scenario, broken)
    assert f"got {10 * FRAME_US} us before its end: move it" in found(scenario, broken)


def test_no_time_to_slew(scenario, plan):
    target = activity(plan, "orleans")
    before = max(
        (one for one in plan.activities if one.end_us <= target.start_us), key=lambda one: one.end_us
    )
    assert before.mode in ("nadir", "glint")
    late = replace(before, end_us=before.end_us + 15 * FRAME_US)  # 20 s of its slew
    assert late.end_us < target.start_us
    assert "to slew and settle after" in found(scenario, swap(plan, before, late))


def test_the_sun_down(scenario, plan):
    dark = activity(plan, "dark")
    nadir = Activity(dark.start_us, dark.end_us, "nadir")
    assert "expected a solar zenith angle of 0 to 80 degrees" in found(scenario, only(plan, nadir))
    by_day = replace(dark, start_us=plan.start_us, end_us=plan.start_us + 40 * FRAME_US)
    assert "expected a solar zenith angle of 100 to 180 degrees" in found(scenario, only(plan, by_day))
    early = moved(activity(plan, "sun"), 10 * 60 * SECOND_US)
    assert "expected a solar zenith angle of 90 to 105 degrees" in found(scenario, only(plan, early))


def test_too_far_from_the_site(scenario, plan):
    late = moved(activity(plan, "orleans"), 150 * SECOND_US)
    assert "expected the satellite within 60 degrees of the zenith" in found(scenario, only(plan, late))
    scan = moved(activity(plan, "lagos"), 150 * SECOND_US)
    assert "expected the satellite within 60 degrees of the zenith" in found(scenario, only(plan, scan))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"request": "paris"}, "expected a request of the mission, got paris"),
        ({"latitude_deg": 47.0}, "expected what orleans asks for"),
        ({"mode": "dark", "latitude_deg": None, "longitude_deg": None}, "expected what orleans asks for"),
        ({"request": ""}, "expected a request to ask for it, got none"),
    ],
)
def test_what_nobody_asked_for(scenario, plan, change, words):
    target = activity(plan, "orleans")
    assert words in found(scenario, only(plan, replace(target, **change)))


def test_another_length(scenario, plan):
    target, scan = activity(plan, "orleans"), activity(plan, "lagos")
    shorter = replace(target, end_us=target.end_us - FRAME_US)
    assert "expected what orleans asks for" in found(scenario, only(plan, shorter))
    ragged = replace(target, end_us=target.end_us - 1)
    assert "expected whole frames or sweeps" in found(scenario, only(plan, ragged))
    cut = replace(scan, end_us=scan.end_us - FRAME_US)
    assert "expected whole frames or sweeps" in found(scenario, only(plan, cut))


def test_twice(scenario, plan):
    dark = activity(plan, "dark")
    again = moved(dark, 5 * 60 * SECOND_US)
    assert "expected dark once, got it twice" in found(scenario, only(plan, dark, again))


def test_beyond_the_span(scenario, plan):
    for shift_us in (plan.start_us - 1, plan.end_us - 40 * FRAME_US + 1):
        stray = Activity(shift_us, shift_us + 40 * FRAME_US, "dark", "dark")
        assert "expected a time within the span" in found(scenario, only(plan, stray))


def test_default_observation_that_is_switched_off(scenario, plan, mission):
    without = mission(3, REQUESTS, observe_land=False)
    assert "nadir by default" in found(without, plan)
    assert "glint by default" not in found(without, plan)


def test_contacts(scenario, plan):
    x_band = [one for one in plan.contacts if one.band == "x"]
    low = replace(x_band[-1], los_us=x_band[-1].los_us + 30 * SECOND_US)
    assert "expected an elevation of 5 degrees or more" in found(scenario, replace(plan, contacts=(low,)))
    doubled = (x_band[-1], x_band[-1])
    assert "expected one X-band link at once" in found(scenario, replace(plan, contacts=doubled))
    s_band = tuple(replace(one, band="s") for one in doubled)
    assert found(scenario, replace(plan, contacts=s_band)) == ""


def test_a_memory_that_overflows(scenario, plan, mission):
    """The fullest moment in pairs: the last bit that is enough, the first that is not."""
    no_pass = replace(plan, contacts=())
    frames = sum(
        60 if one.mode == "city" else (one.end_us - one.start_us) // FRAME_US for one in plan.activities
    )
    bits = frames * (12 * 2590 * 8 + 32 * 8) + (plan.end_us - plan.start_us) // SECOND_US * 800
    assert found(mission(3, REQUESTS, memory=f"{bits} bit"), no_pass) == ""
    too_small = mission(3, REQUESTS, memory=f"{bits - 1} bit")
    assert f"expected at most {bits - 1} bit, got {bits}" in found(too_small, no_pass)
    assert found(too_small, plan) == ""  # passes empty it


def test_the_first_broken_rule_is_an_error(scenario, plan):
    broken = swap(plan, activity(plan, "dark"), moved(activity(plan, "dark"), -HOUR_US // 2))
    with pytest.raises(BadInput, match=r"^programming cp_sat: .*expected .*: (leave|choose|move)"):
        check.require(scenario, broken)
