"""The charts of operations hold what the log and the products say."""

import json

import numpy as np
import pytest

from twin.constants import FRAME_US
from twin.events import groundsegment
from twin.events.log import EventLog
from twin.events.service import Rate, Service
from twin.mission.resources import IMAGE_BITS
from twin.report import operations

SECOND = 1_000_000  # us
T0 = 1_466_973_618 * SECOND  # GPS us, 2026-07-01T20:40:00Z
FIRST = 10**10


@pytest.fixture
def log():
    """Two granules in 40 minutes: one pass heard, one lost, an eclipse, a night without end."""
    made = EventLog()
    made.add(T0, "spacecraft", "mode", "standby")
    made.add(T0 + 60 * SECOND, "spacecraft", "mode", "nadir")
    made.add(T0 + 60 * SECOND, "instrument", "exposure", FIRST, 8)
    made.add(T0 + 60 * SECOND + 8 * FRAME_US, "memory", "frame_stored", FIRST, 8 * IMAGE_BITS)
    made.add(T0 + 100 * SECOND, "spacecraft", "mode", "standby")
    made.add(T0 + 200 * SECOND, "power", "eclipse_entered", "", 1)
    made.add(T0 + 300 * SECOND, "station", "signal_missed", "Inuvik")
    made.add(T0 + 400 * SECOND, "station", "signal_lost", "Inuvik")
    made.add(T0 + 500 * SECOND, "power", "eclipse_left", "", 1)
    made.add(T0 + 600 * SECOND, "station", "signal_acquired", "Kiruna")
    made.add(T0 + 601 * SECOND, "downlink", "frame_sent", FIRST, 8 * IMAGE_BITS)
    made.add(T0 + 700 * SECOND, "downlink", "acknowledged", "pass_0001", 8 * IMAGE_BITS)
    made.add(T0 + 700 * SECOND, "station", "signal_lost", "Kiruna")
    made.add(T0 + 760 * SECOND, "ground", "file_delivered", "pass_0001", 8 * IMAGE_BITS)
    made.add(T0 + 2000 * SECOND, "power", "eclipse_entered", "", 1)
    made.add(T0 + 2400 * SECOND, "spacecraft", "mode", "slew")
    return made


@pytest.fixture
def products(log):
    rates = Service({stage: Rate(10.0, 0.0) for stage in ("l0", "l1a", "l1b", "l2")}, "by hand")
    return groundsegment.process(log, rates, workers=1)


def named(made, name):
    (found,) = [trace for trace in made["data"] if trace["name"] == name]
    return found


def clock(text):
    return text[11:19]


def test_the_day_shows_modes_nights_passes_and_memory(log):
    made = operations.day(log, T0, T0 + 3000 * SECOND)
    json.dumps(made, allow_nan=False)
    assert [clock(x) for x in named(made, "nadir")["x"][:2]] == ["20:41:00", "20:41:40"]
    standby = named(made, "standby")
    assert [x and clock(x) for x in standby["x"]] == [
        "20:40:00",
        "20:41:00",
        None,
        "20:41:40",
        "21:20:00",
        None,
    ]
    assert [x and clock(x) for x in named(made, "eclipse")["x"]] == [
        *("20:43:20", "20:48:20", None),
        *("21:13:20", "21:20:00", None),  # it lasts until the log ends
    ]
    assert [clock(x) for x in named(made, "X-band pass")["x"][:2]] == ["20:50:00", "20:51:40"]
    assert [clock(x) for x in named(made, "X-band pass lost")["x"][:2]] == ["20:45:00", "20:46:40"]
    assert not [trace for trace in made["data"] if trace["name"].startswith("S-band")]
    memory = named(made, "memory")
    assert memory["y"] == [0.0, round(8 * IMAGE_BITS / 1e6, 4), 0.0, 0.0]
    assert clock(memory["x"][0]) == "20:40:00"


def test_a_later_span_begins_with_the_level_it_found(log):
    made = operations.day(log, T0 + 150 * SECOND, T0 + 650 * SECOND)
    assert named(made, "memory")["y"] == [round(8 * IMAGE_BITS / 1e6, 4)] * 2
    assert [clock(x) for x in named(made, "X-band pass")["x"][:2]] == ["20:50:00", "20:50:50"]
    assert not [trace for trace in made["data"] if trace["name"] == "nadir"]


def test_the_latency_chart_counts_every_sounding(products):
    made = operations.latencies(products)
    assert sum(made["data"][0]["y"]) == 24
    marks = [trace["name"] for trace in made["data"][1:]]
    # delivered at 760 s, L0 10 s, 30 s and 60 s of work, 301 s to the users; sensed from 60.652 s on
    last = (760 + 10 + 60 + 301) - 60 - 4.5 * 1.304
    assert marks[1] == f"p95: {last / 60:.0f} min"


def test_the_queue_chart_shows_backlog_and_age(products):
    made = operations.queue(products)
    backlog, age = made["data"]
    assert backlog["y"] == [2, 1, 0]
    assert [clock(x) for x in backlog["x"]] == ["20:52:50", "20:53:20", "20:53:50"]
    oldest_s = 601 - 7 * 0.001842 - 60.652
    assert age["y"] == [pytest.approx(oldest_s / 3600, abs=1e-4)]


def test_charts_of_an_empty_mission_are_empty():
    nothing = groundsegment.process(EventLog(), Service({}, ""), 1)
    assert sum(operations.latencies(nothing)["data"][0]["y"]) == 0
    assert operations.queue(nothing)["data"][0]["y"] == []
    assert operations.day(EventLog(), T0)["data"][0]["y"] == [0.0, 0.0]


def test_thinning_keeps_extremes_and_the_end():
    values = np.zeros(100_000, int)
    values[[5, 77_777, 99_999]] = 9, -9, 3
    times, kept = operations.thinned(np.arange(100_000), values)
    assert len(kept) <= operations.MOST_POINTS
    assert (kept.max(), kept.min(), kept[-1], times[-1]) == (9, -9, 3, 99_999)
    assert np.all(np.diff(times) > 0)
