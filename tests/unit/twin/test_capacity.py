"""The number of workers for a latency target: the search itself, a queue by hand, and the command."""

import numpy as np
import pytest
from typer.testing import CliRunner

from twin import capacity, cli
from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.events import groundsegment, latency, plain
from twin.events.log import EventLog
from twin.events.service import Rate, Service
from twin.mission.resources import IMAGE_BITS
from twin.scenario import load

SECOND = 1_000_000  # us
T0 = 1_466_973_618 * SECOND  # GPS us
FIRST = 10**10
MISSION = """# How many workers does a quarter of a day need?
name: quarter
start: 2026-07-01T00:00:00Z
observation: {mode: plan, soundings: 12, start_latitude: 0 degree}
mission: {duration: 6 hour}
requirements: [{figure: packets_unaccounted, at_most: 0}]
"""


def rates(l2_s=1.0):
    return Service({"l0": Rate(1, 0), "l1a": Rate(0, 0), "l1b": Rate(0, 0), "l2": Rate(l2_s, 0)}, "by hand")


def a_pass(granules):
    """A log of granules exposed back to back and all delivered at once."""
    log = EventLog()
    frames = 4 * granules
    log.add(T0, "instrument", "exposure", FIRST, frames)
    end_us = T0 + frames * FRAME_US
    log.add(end_us, "memory", "frame_stored", FIRST, frames * IMAGE_BITS)
    log.add(end_us + SECOND, "downlink", "frame_sent", FIRST, frames * IMAGE_BITS)
    log.add(end_us + SECOND, "downlink", "acknowledged", "pass_0001", frames * IMAGE_BITS)
    log.add(end_us + SECOND, "ground", "file_delivered", "pass_0001", frames * IMAGE_BITS)
    return log


@pytest.mark.parametrize("needed", [1, 2, 3, 7, 8, 9, 100])
def test_the_search_finds_the_smallest_number_and_asks_few(needed):
    asked = []

    def meets(workers):
        asked.append(workers)
        return workers >= needed

    assert capacity.fewest(meets, 100) == needed
    assert len(asked) <= 2 * np.log2(100) + 2


def test_the_answer_is_the_smallest_number_that_meets_the_target():
    """60 granules at once, 10 s each: n workers take 10 s * ceil(60 / n)."""
    log, service = a_pass(60), rates(10.0)
    p95_s = {
        n: latency.summary(groundsegment.process(log, service, n).latency_us)["latency_p95_s"]
        for n in range(1, 61)
    }
    target_s = p95_s[7]
    found = capacity.answer(log, service, target_s)
    assert found.needed == min(n for n, value in p95_s.items() if value <= target_s) <= 7
    tried = {trial.workers: trial for trial in found.trials}
    assert tried[found.needed].p95_s <= target_s < tried[found.needed - 1].p95_s
    assert all(trial.p95_s == p95_s[n] for n, trial in tried.items())
    assert found.floor.p95_s == p95_s[60]
    assert tried[1].backlog_max == 60


def test_utilisation_is_the_share_of_the_workers_time():
    log = a_pass(2)
    log.add(T0, "spacecraft", "mode", "nadir")
    products = groundsegment.process(log, rates(10.0), workers=2)
    end_s = 8 * 1.304 + 1 + 1 + 10
    assert latency.utilisation(log, products) == pytest.approx((1 + 20) / (2 * end_s), rel=1e-9)


def test_a_target_below_what_the_link_takes_has_no_answer():
    found = capacity.answer(a_pass(3), rates(), target_s=300.0)
    assert found.needed is None
    assert [trial.workers for trial in found.trials] == [1]
    assert found.floor.p95_s > 300.0


def test_a_log_without_downlink_is_bad_input():
    with pytest.raises(BadInput, match="expected frames on the ground, got none"):
        capacity.answer(EventLog(), rates(), 1.0)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A scenario, its plain plan, and service times without a run."""
    path, plan = tmp_path / "quarter.yaml", tmp_path / "timeline.json"
    path.write_text(MISSION)
    plan.write_text(plain.timeline(load(path), 0.25).dump())
    monkeypatch.setattr(capacity.service, "measured", lambda run: rates())
    return path, plan


def run(*arguments):
    return CliRunner().invoke(cli.app, ["capacity", *map(str, arguments)])


def test_the_command_prints_workers_latency_and_the_answer(files):
    path, plan = files
    done = run(path, "--target", "3 hour", "--measured", "a_run", "--plan", plan)
    assert done.exit_code == 0, done.output
    assert "1 worker needed" in done.stdout
    assert "unlimited" in done.stdout
    assert "l2: 1.000 s a program and 0.0000 s a sounding" in done.stdout
    assert "p95 at most 180.0 min" in done.stdout


def test_without_a_plan_the_greedy_one_is_flown(files):
    done = run(files[0], "--target", "3 hour", "--measured", "a_run", "--days", "0.1")
    assert done.exit_code == 0, done.output
    assert "1 worker needed" in done.stdout


def test_the_command_says_when_no_number_of_workers_helps(files):
    path, plan = files
    done = run(path, "--target", "1 minute", "--measured", "a_run", "--plan", plan)
    assert done.exit_code == 1
    assert "no number of workers meets it" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--target", "3"), 'expected a quantity with its unit, like "1 second"'),
        (("--target", "3 km"), "--target: expected a quantity"),
        (("--target", "3 hour"), "expected measured service times, got no run: make one first"),
        (
            ("--target", "3 hour", "--measured", "r", "--plan", "p", "--days", "2"),
            "expected --days or --plan",
        ),
        (("--target", "3 hour", "--measured", "r", "--plan", "absent.json"), "expected a timeline.json"),
    ],
)
def test_bad_input_is_told_in_one_line(files, arguments, message):
    done = run(files[0], *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_observation_is_no_mission(files, tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(
        MISSION.replace("mode: plan, soundings: 12", "mode: nadir").replace(
            "mission: {duration: 6 hour}\n", ""
        )
    )
    done = run(path, "--target", "3 hour", "--measured", "a_run")
    assert done.exit_code == 2
    assert "expected a mission to plan, got an observation" in done.stderr
