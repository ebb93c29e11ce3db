"""A mission planned day after day, by every method, and a user's own."""

import json
import re
import stat
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from twin.errors import BadInput
from twin.mission.planning import check, limits, rolling
from twin.mission.timeline import overlaps

HOUR_US = 3_600_000_000
REQUESTS = [
    {"name": "orleans", "kind": "target", "latitude": 47.97, "longitude": 2.11, "priority": 50},
    {"name": "paris", "kind": "city", "latitude": 48.86, "longitude": 2.35, "priority": 5},
    {"name": "izana", "kind": "target", "latitude": 28.3, "longitude": -16.5},
    {"name": "accra", "kind": "city", "latitude": 5.6, "longitude": -0.19},
    {"name": "hawaii", "kind": "target", "latitude": 21.0, "longitude": -157.0},
    {"name": "dark", "kind": "dark"},
    {"name": "lamp", "kind": "lamp", "frames": 200},
    {"name": "sun", "kind": "sun"},
]
PAGE = Path(__file__).parents[3] / "docs" / "planning.md"


@pytest.fixture(scope="module")
def scenario(mission):
    return mission(4, REQUESTS)


@pytest.fixture(scope="module")
def plan(scenario):
    return rolling.plan(scenario)


def served(plan):
    return {one.request for one in plan.activities if one.request}


def test_every_request_is_served_or_has_its_reason(plan):
    told = dict(plan.unserved)
    assert served(plan) | set(told) == {row["name"] for row in REQUESTS}
    assert not served(plan) & set(told)
    assert told["hawaii"].startswith("no visibility")
    assert told["paris"] == "conflicts with orleans"
    assert served(plan) >= {"orleans", "dark", "lamp", "sun"}


def test_a_plan_is_in_order_whole_and_known_to_be_best(plan):
    assert overlaps(plan.activities) == []
    assert list(plan.activities) == sorted(plan.activities, key=lambda one: one.start_us)
    assert plan.end_us - plan.start_us == 4 * HOUR_US
    assert plan.optimal
    assert plan.gap == 0.0
    assert {one.band for one in plan.contacts} == {"x", "s"}


def test_the_objective_is_what_the_timeline_holds(plan):
    """Whole frames cut a stretch by less than a frame, and the grid by less than a step."""
    priority = {row["name"]: row.get("priority", 10) for row in REQUESTS}
    worth = 60 * sum(priority[name] for name in served(plan))
    stretches = [one.end_us - one.start_us for one in plan.activities if not one.request]
    most = worth + sum(-(-length // 10_000_000) * 10 for length in stretches)
    shifted = 0.1 * 60 * (priority["orleans"] + priority["izana"])
    assert most - shifted <= plan.objective <= most


def test_a_repeat_is_identical(scenario, plan):
    assert rolling.plan(scenario).dump() == plan.dump()


def test_greedy_is_sound_and_no_better(scenario, plan):
    greedy = rolling.plan(scenario, method="greedy")
    assert (greedy.method, greedy.bound, greedy.optimal) == ("greedy", None, False)
    assert greedy.objective <= plan.bound


def test_days_follow_each_other(scenario, plan, monkeypatch):
    """Days of 80 minutes: requests carry over, nothing is served twice, seams hold, memory goes on."""
    monkeypatch.setattr(rolling, "DAY_US", 80 * 60 * 1_000_000)
    days = list(rolling.days(scenario))
    rolled = rolling.timeline(scenario, days)  # passes the checker
    assert [day.day.problem.end_us for day in days[:-1]] == [day.day.problem.start_us for day in days[1:]]
    assert len(days) == 3
    assert served(rolled) == served(plan)
    asked = [{one.request for one in day.day.problem.opportunities} for day in days]
    for day, later in pairwise(range(3)):
        assert not asked[later] & {one.request for one in days[day].activities}
        levels = days[day].day.problem.levels(days[day].choice.ids, days[day].kept)
        assert days[later].day.problem.level_bits == levels[-1]
    assert rolled.contacts == plan.contacts
    assert rolled.objective <= plan.objective
    assert rolled.objective > 0.95 * plan.objective


def test_a_stretch_over_a_seam_is_one_activity(mission, monkeypatch):
    scenario = mission(1.5, [])
    whole = rolling.plan(scenario)
    longest = max(whole.activities, key=lambda one: one.end_us - one.start_us)
    middle_us = (longest.start_us + longest.end_us) // 2
    seam_us = (middle_us - whole.start_us) // limits.STEP_US * limits.STEP_US
    monkeypatch.setattr(rolling, "DAY_US", seam_us)
    assert rolling.plan(scenario).activities == whole.activities


@pytest.mark.parametrize("after_s", [-50, 0, 30])
def test_a_seam_in_or_near_a_slew_leaves_time_for_it(mission, monkeypatch, after_s):
    scenario = mission(2.2, REQUESTS[:1])
    whole = rolling.plan(scenario)
    change = next(one for one, other in pairwise(whole.activities) if one.mode != other.mode)
    before = next(one for one in whole.activities if one.request == "orleans")
    for near_us in (change.end_us, before.start_us):
        seam_us = (near_us - whole.start_us) // limits.STEP_US * limits.STEP_US + after_s * 1_000_000
        monkeypatch.setattr(rolling, "day_edges_us", _edges(whole, seam_us))
        assert rolling.plan(scenario).objective > 0.5 * whole.objective  # and passes the checker


def _edges(whole, seam_us):
    return lambda scenario: [whole.start_us, whole.start_us + seam_us, whole.end_us]


def test_a_small_memory_is_never_overfilled(mission):
    """2 Gbit hold nearly three hours of observation; no station is passed."""
    roomy = rolling.plan(mission(4, REQUESTS, x_band=[]))
    tight = rolling.plan(mission(4, REQUESTS, x_band=[], memory="0.4 Gbit"))  # both pass the checker
    assert tight.objective < roomy.objective
    assert served(tight)
    with pytest.raises(BadInput, match=r"mission\.memory: expected room for attitude packets"):
        rolling.plan(mission(4, REQUESTS, x_band=[], memory="5 Mbit"))
    with pytest.raises(BadInput, match="got 0 bit beside the reserve"):
        rolling.plan(mission(4, REQUESTS, x_band=[], memory="1 Mbit"))


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"x_band": ["Svalbard"]}, "got Svalbard: correct its name"),
        ({"programming": "nothing"}, "expected cp_sat, greedy, module:Name or an executable, got nothing"),
        ({"programming": "no_such_module:Method"}, "expected module:Name to import from"),
        ({"programming": "json:no_such_name"}, "expected module:Name to import from"),
    ],
)
def test_a_mission_that_cannot_be_planned(mission, keys, words):
    with pytest.raises(BadInput, match=re.escape(words)):
        rolling.plan(mission(0.1, [], **keys))


def test_a_span_shorter_than_a_step(mission):
    with pytest.raises(BadInput, match="duration of 10 s or more"):
        rolling.plan(mission(0.0027, []))


@pytest.fixture
def example(tmp_path):
    """The method of the page, as a module and as an executable."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "first_come.py").write_text(code)
    program = tmp_path / "first_come"
    program.write_text(f"#!{sys.executable}\n{code}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    yield tmp_path
    sys.modules.pop("first_come", None)


def test_the_method_of_the_page_runs_as_class_function_and_program(scenario, plan, example):
    plans = [
        rolling.plan(scenario, method=method, folder=example)
        for method in ("first_come:FirstCome", "first_come", "./first_come")
    ]
    assert plans[0].activities == plans[1].activities == plans[2].activities
    assert served(plans[0]) >= {"dark", "lamp", "sun"}
    assert plans[0].objective <= plan.bound
    assert plans[0].bound is None
    (example / "simple.py").write_text("def nothing(problem):\n    return []\n")
    assert served(rolling.plan(scenario, method="simple:nothing", folder=example)) == set()


def test_the_problem_handed_on_is_that_of_the_page(scenario):
    problem = json.loads(json.dumps(next(iter(rolling.days(scenario))).day.problem.described()))
    table = PAGE.read_text(encoding="utf-8").split("| key of the problem |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    keys = (
        set(problem)
        | set(problem["opportunities"][0])
        | set(problem["contacts"][0])
        | set(problem["default_steps"])
    )
    assert keys - {"band"} == named - {"n", "g"}
    assert set(problem["default_steps"]["modes"]) == {"n", "g", "."}


def answers(folder: Path, text: str) -> str:
    (folder / "answer.py").write_text(f"def choose(problem):\n    {text}\n")
    sys.modules.pop("answer", None)
    return "answer:choose"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return [99999]", "expected a list of ids of opportunities"),
        ("return 'all'", "expected a list of ids of opportunities"),
        ("return [True]", "expected a list of ids of opportunities"),
        ("return [0, 0]", "expected different ids"),
        ("return list(problem['conflicts'][0])", r"expected (a start after|.* s to slew)"),
        (
            "return [one['id'] for one in problem['opportunities'] if one['request'] == 'dark'][::3]",
            "expected dark once, got it twice",
        ),
    ],
)
def test_a_bad_answer_is_one_clear_error(scenario, tmp_path, text, words):
    with pytest.raises(BadInput, match=words):
        rolling.plan(scenario, method=answers(tmp_path, text), folder=tmp_path)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit('no licence')", "expected exit code 0, got 1: no licence"),
        ("print('thinking')", "expected a JSON list of ids on standard output, got 'thinking"),
    ],
)
def test_a_program_that_fails_is_one_clear_error(scenario, tmp_path, script, words):
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(BadInput, match=words):
        rolling.plan(scenario, method="program", folder=tmp_path)


def test_two_answers_that_conflict_are_found_though_the_method_lies(scenario, plan):
    doubled = replace(plan, activities=(*plan.activities, plan.activities[0]))
    assert any("before" in text or "twice" in text for text in check.violations(scenario, doubled))
