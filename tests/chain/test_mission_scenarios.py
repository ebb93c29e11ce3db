"""Every shipped scenario of a mission, run as a user runs it.

Rationale: plan, command packets, flight, passes, processors, queue and report must fit together over hours.
Setup: `python -m twin run SCENARIO --soundings 24` for each file of scenarios/ with a mission.
Expected behaviour: exit code 0; what is commanded is flown; frames exposed, stored and downlinked add
up; full data come down in the passes the log says; latency, memory and track are in verdict and report.
"""

import csv
import json
from collections import Counter
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from twin.constants import OPERATION_MODES
from twin.events import frames
from twin.events.log import EventLog
from twin.mission.planning import check
from twin.mission.timeline import Timeline
from twin.scenario import load
from twin.telemetry import commands

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = [path for path in sorted(FOLDER.glob("*.yaml")) if load(path).mission]
SOUNDINGS = 24
LIMIT_S = 1500  # s, of one run on a busy machine
CHARTS = ("timeline", "track_by_mode", "latencies", "queue")
LATENCIES = ("mean", "p50", "p95", "p99", "max")

pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda path: path.stem)
def asked(request) -> Path:
    return request.param


@pytest.fixture(scope="module")
def log(outcome) -> EventLog:
    return EventLog.read_csv(outcome.directory / "events.csv")


def test_all_requirements_hold(outcome, twin_at_work):
    assert outcome.code == 0, outcome.said[-3000:]
    code, said = twin_at_work.command("account", str(outcome.directory))
    assert (code, "all accounted for" in said) == (0, True), said


def test_the_plan_is_free_of_conflict_and_its_packets_carry_it(outcome, asked):
    plan = Timeline.restore((outcome.directory / "timeline.json").read_text())
    assert not list(check.violations(load(asked), plan))
    activities, _ = commands.decode((outcome.directory / "commands.bin").read_bytes())
    assert activities == plan.activities
    requests = {request.name for request in load(asked).mission.requests}
    served = {activity.request for activity in plan.activities} - {""}
    assert served | {name for name, _ in plan.unserved} == requests


def test_every_frame_ends_somewhere(outcome, log):
    figures = outcome.verdict()["figures"]
    exposed, stored = figures["frames_exposed"], figures["frames_stored"]
    assert exposed == stored + figures["frames_refused"] + figures["frames_lost"]
    seen = frames.of(log)
    assert seen.id.size == stored
    assert np.unique(seen.id).size == stored
    down = int((seen.pass_index >= 0).sum())
    assert stored == down + figures["soundings_on_board"] // 3
    assert figures["memory_max_bits"] > 0


def test_full_data_come_down_in_the_passes_of_the_log_with_their_identifiers(outcome, log):
    seen = frames.of(log)
    heard = [int(event.id.removeprefix("pass_")) for event in log.select("downlink", "acknowledged")]
    down = seen.pass_index >= 0
    in_pass = dict(zip(seen.id[down].tolist(), np.array(heard)[seen.pass_index[down]].tolist(), strict=True))
    with (outcome.directory / "sent_packets.csv").open(newline="") as stream:
        science = [row for row in csv.DictReader(stream) if row["apid"] == "256"]
    with netCDF4.Dataset(outcome.directory / "geometry.nc") as file:
        ids = np.unique(file["sounding_id"][:] // 10).tolist()
        modes = Counter(file["operation_mode"][:].tolist())
    assert len(science) == 12 * len(ids) == 4 * SOUNDINGS
    counters = {frame % 10**10: frame for frame in ids}
    assert all(in_pass[counters[int(row["frame_counter"])]] == int(row["pass"]) for row in science)
    assert set(modes) <= set(OPERATION_MODES.values())


def test_latency_is_in_verdict_and_report(outcome):
    figures = outcome.verdict()["figures"]
    values = [figures[f"latency_{name}_s"] for name in LATENCIES]
    assert all(value > 0 for value in values)
    assert values[1] <= values[2] <= values[3] <= values[4]
    page = (outcome.directory / "report.html").read_text()
    assert all(f'data-chart="{name}"' in page for name in CHARTS)
    told = json.loads((outcome.directory / "operations.json").read_text())
    assert set(told["service"]) == {"l0", "l1a", "l1b", "l2"}


def test_a_reboot_begins_a_new_boot(asked, log):
    boots = np.unique(frames.of(log).id // 10**10).tolist()
    assert boots == ([1, 2] if asked.stem == "reboot_mid_pass" else [1])
