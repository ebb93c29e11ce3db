"""The ground against hand-made cases, closed forms and numpy: line, queue, service times, latency."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import simpy

from twin import chain
from twin import scenario as models
from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.events import frames, groundsegment, latency, service
from twin.events.downlink import File
from twin.events.log import EventLog
from twin.events.service import Rate, Service
from twin.events.workers import serve
from twin.faults import catalogue
from twin.ledger import Ledger, Row
from twin.mission.resources import IMAGE_BITS
from twin.scenario import Scenario
from twin.verify.figures import FIGURES

SECOND = 1_000_000  # us
T0 = 1_466_973_618 * SECOND  # GPS us, 2026-07-01T20:40:00Z
B1, B2 = 10**10, 2 * 10**10  # ids of frame 0 of boots 1 and 2
# L0 10 s and no time a MB; a sounding 0.5 s in L1A, 0.25 s in L1B, 2 s in L2, and 1 s to start each
RATES = Service(
    {"l0": Rate(10.0, 0.0), "l1a": Rate(1.0, 0.5), "l1b": Rate(1.0, 0.25), "l2": Rate(1.0, 2.0)}, "by hand"
)
L1A, L1B, L2 = 7, 4, 25  # s, of 12 soundings


def test_a_line_carries_one_file_at_a_time_and_each_station_has_its_own():
    env, log = simpy.Environment(initial_time=T0), EventLog()
    received = simpy.Store(env)
    env.process(groundsegment.deliver(env, log, received))
    for file in (
        File("pass_0001", "Kiruna", 10**9),
        File("pass_0002", "Kiruna", 1),
        File("pass_0003", "Inuvik", 1),
    ):
        received.put(file)
    env.run()
    assert [(e.time_gps_us - T0, e.process, e.event, e.id, e.value) for e in log.events] == [
        (0, "station", "file_closed", "pass_0001", 10**9),
        (0, "station", "file_closed", "pass_0002", 1),
        (0, "station", "file_closed", "pass_0003", 1),
        (60 * SECOND + 1, "ground", "file_delivered", "pass_0003", 1),  # 1 bit at 100 Mbit/s, rounded up
        (70 * SECOND, "ground", "file_delivered", "pass_0001", 10**9),
        (130 * SECOND + 1, "ground", "file_delivered", "pass_0002", 1),
    ]


def served(arrivals, workers, durations, follow=None):
    told = []
    serve(
        arrivals,
        workers,
        lambda job: durations[job[1]],
        lambda job: (follow or {}).get(job, []),
        lambda job, start, end: told.append((job, start, end)),
    )
    return told


def test_whole_queue_log_by_hand():
    """Two workers; priority 0 goes first, equals in order of coming; a follower waits for a worker."""
    a, b, c, d, e = (1, 0), (1, 1), (1, 2), (0, 3), (0, 4)
    arrivals = [(0, a), (0, b), (1, c), (2, d)]
    assert served(arrivals, 2, [5, 6, 1, 2, 3], {a: [e]}) == [
        (a, 0, 5),
        (b, 0, 6),
        (d, 5, 7),
        (c, 7, 8),
        (e, 6, 9),
    ]


def test_one_worker_with_constant_service_waits_as_pollaczek_and_khinchine_say():
    """M/D/1: mean wait = rho s / (2 (1 - rho))."""
    three_percent = 0.03
    service_us, rho, jobs = 1000, 0.7, 200_000
    gaps = np.random.default_rng(1).exponential(service_us / rho, jobs)
    arrivals = [(at, (0, n)) for n, at in enumerate(np.cumsum(gaps).astype(int).tolist())]
    told = served(arrivals, 1, [service_us] * jobs)
    waits = [start - arrivals[job[1]][0] for job, start, _ in told]
    expected = rho * service_us / (2 * (1 - rho))
    assert np.mean(waits) == pytest.approx(expected, rel=three_percent)


def flight(sent, passes, exposed=((B1, 8),), refused=()):
    """A log by hand: frames exposed from T0, sent (pass, id, count) at the second of their pass, passes
    (second, heard)."""
    log = EventLog()
    at_us = T0
    for first, count in exposed:
        for id in range(first, first + count):
            log.add(at_us, "instrument", "exposure", id, 1)
            at_us += FRAME_US
            word = "refused" if id in refused else "stored"
            log.add(at_us, "memory", f"frame_{word}", id, IMAGE_BITS)
    for number, (second, heard) in enumerate(passes):
        mine = [(id, count) for where, id, count in sent if where == number]
        for id, count in mine:
            log.add(T0 + second * SECOND, "downlink", "frame_sent", id, count * IMAGE_BITS)
        bits = sum(count for _, count in mine) * IMAGE_BITS
        end_us, name = T0 + (second + 1) * SECOND, f"pass_{number + 1:04d}"
        log.add(end_us, "downlink", "acknowledged" if heard else "unacknowledged", name, bits)
        if heard:
            log.add(end_us + 9 * SECOND, "ground", "file_delivered", name, bits)
    return log


def after_s(times_us):
    return ((np.asarray(times_us) - T0) / SECOND).tolist()


def test_every_stage_of_two_granules_and_one_worker():
    """What is begun is finished: the second granule's L1A waits for the first one's L2."""
    log = flight([(0, B1, 8)], [(100, True)])
    products = groundsegment.process(log, RATES, workers=1)
    first, second = 120 + L1A + L1B + L2, 120 + 2 * (L1A + L1B + L2)
    assert after_s(products.pass_l0_us) == [120]
    assert after_s(products.ready_us) == [120, 120]
    assert after_s(products.l1a_us) == [120 + L1A, first + L1A]
    assert after_s(products.l1b_us) == [120 + L1A + L1B, first + L1A + L1B]
    assert after_s(products.l2_us) == [first, second]
    assert after_s(products.disseminated_us) == [first + 301, second + 301]
    assert products.busy_us == (10 + 2 * (L1A + L1B + L2)) * SECOND
    at, waiting = latency.backlog(products)
    assert list(zip(after_s(at), waiting.tolist(), strict=True)) == [(120, 2), (first, 1), (second, 0)]


def test_a_granule_whose_frames_come_in_two_passes_waits_for_both():
    log = flight([(0, B1, 6), (1, B1 + 6, 2)], [(100, True), (500, True)])
    products = groundsegment.process(log, RATES, workers=2)
    assert after_s(products.ready_us) == [120, 520]
    assert after_s(products.l2_us) == [120 + L1A + L1B + L2, 520 + L1A + L1B + L2]
    assert products.frames.pass_index.tolist() == [0] * 6 + [1] * 2


def test_a_lost_pass_counts_for_nothing_and_the_next_brings_its_frames():
    log = flight([(0, B1, 8), (1, B1, 8)], [(100, False), (500, True)])
    products = groundsegment.process(log, RATES, workers=1)
    assert set(after_s(products.frames.sent_us)) == {500.0 - k * 0.001842 for k in range(8)}
    assert after_s(products.ready_us) == [520, 520]
    assert log.frames_downlinked == list(range(8))


def test_refused_frames_are_not_waited_for_and_those_on_board_are():
    log = flight([(0, B1, 3), (0, B1 + 4, 2)], [(100, True)], refused=(B1 + 3,))
    products = groundsegment.process(log, RATES, workers=1)
    assert products.frames.frames_of_granule.tolist() == [3, 4]
    assert (products.disseminated_us >= 0).tolist() == [True, False]
    assert after_s(products.ready_us[:1]) == [120]
    assert products.ready_us[1] == groundsegment.NEVER
    found = latency.figures(log, products)
    assert found["soundings_disseminated"] == 9
    assert found["soundings_on_board"] == 6
    assert found["frames_refused"] == 1


def test_granules_do_not_span_boots():
    log = flight([(0, B1, 2), (0, B2, 4)], [(100, True)], exposed=((B1, 2), (B2, 4)))
    seen = frames.of(log)
    assert seen.granule_id.tolist() == [B1, B2]
    assert seen.frames_of_granule.tolist() == [2, 4]


def test_nothing_on_the_ground_gives_figures_without_latency():
    log = flight([], [])
    found = latency.figures(log, groundsegment.process(log, RATES, workers=1))
    assert found["latency_mean_s"] is found["latency_max_s"] is found["age_on_board_max_s"] is None
    assert found["soundings_on_board"] == 24
    assert set(found) <= set(FIGURES)
    nothing = groundsegment.process(EventLog(), RATES, workers=1)
    assert latency.figures(EventLog(), nothing)["soundings_on_board"] == 0


def test_latency_percentiles_are_numpys_of_every_sounding():
    log = flight([(0, B1, 5), (1, B1 + 5, 6)], [(100, True), (900, True)], exposed=((B1, 11),))
    products = groundsegment.process(log, RATES, workers=1)
    sensed = T0 + np.repeat(np.arange(11) * FRAME_US + FRAME_US // 2, 3)
    ends = np.repeat(products.disseminated_us, [12, 12, 9])
    each = (ends - sensed) / 1e6
    found = latency.figures(log, products)
    for share in (50, 95, 99):
        assert found[f"latency_p{share}_s"] == np.percentile(each, share, method="inverted_cdf")
    assert found["latency_mean_s"] == pytest.approx(each.mean(), rel=1e-12)
    assert found["latency_max_s"] == each.max()
    times_us, age_us = latency.on_board(products)
    assert after_s(times_us) == [100, 900]
    oldest_us = [
        100 * SECOND - 4 * 1842 - FRAME_US // 2,
        900 * SECOND - 5 * 1842 - 5 * FRAME_US - FRAME_US // 2,
    ]
    assert age_us.tolist() == oldest_us
    assert found["age_on_board_max_s"] == oldest_us[1] / 1e6


def test_products_are_written_as_a_table(tmp_path):
    products = groundsegment.process(flight([(0, B1, 8)], [(100, True)]), RATES, workers=1)
    products.to_csv(tmp_path / "products.csv")
    lines = (tmp_path / "products.csv").read_text().splitlines()
    assert lines[0] == "granule,soundings,sensed_utc,downlinked_utc,l0_utc,l2_utc,disseminated_utc"
    assert lines[1].split(",") == [
        str(B1),
        "12",
        "2026-07-01T20:40:00.652000Z",
        "2026-07-01T20:41:39.992632Z",  # 4 frames of 1842 us before the end of the transmission
        "2026-07-01T20:42:00.000000Z",
        "2026-07-01T20:42:36.000000Z",
        "2026-07-01T20:47:37.000000Z",
    ]
    assert len(lines) == 3


def test_start_up_and_rate_are_told_apart_by_programs_of_different_size():
    one_ppm = 1e-6
    found = service.fit([12, 60, 120], [0.5 + 0.1 * n for n in (12, 60, 120)], quickest_s=0.2)
    assert (found.start_s, found.each_s) == (pytest.approx(0.5, rel=one_ppm), pytest.approx(0.1, rel=one_ppm))
    assert found.separate
    shrinking = service.fit([10, 20], [3.0, 2.0], quickest_s=0.2)
    assert shrinking.each_s == 0.0
    assert service.fit([12, 23.9], [2.0, 4.0], quickest_s=1.0) == Rate(1.0, 4.0 / 35.9, separate=False)


def a_run(root, soundings=125):
    """A finished run of 125 soundings (126 in whole frames: the 11th granule has 6) and 12 mismatched."""
    asked = Scenario.model_validate(
        {
            "name": "fake",
            "start": datetime(2026, 7, 1, tzinfo=UTC),
            "observation": {"mode": "glint", "soundings": soundings, "start_latitude": 22.0},
            "requirements": [],
        },
        context={"stored_units": True},
    )
    (root / "scenario.json").write_text(models.dump(asked))
    ledger = Ledger(root / "ledger.sqlite")
    for number, (stage, granules, wall_s) in enumerate(
        (
            ("l0", "0", 3.0),
            ("l0", "mismatch/0", 1.2),
            *(("l1a", str(n), 0.5) for n in range(11)),
            ("l1b", "0,2,4,6,8,10,mismatch/0", 1.5),
            ("l1b", "1,3,5,7,9", 1.2),
            ("l2", "0,1,2,3,4,5,6,7,8,9,10", 13.6),
            ("l2", "mismatch/0", 2.2),
        )
    ):
        ledger.put(Row(f"{stage}-{number}", stage, granules, "done", 1, 0, number, wall_s, wall_s, 1, "", ""))
    ledger.put(Row("l2-bad", "l2", "0", "failed", 1, 1, 0.0, 99.0, 99.0, 1, "", ""))
    ledger.close()
    for folder, megabytes in (("", 2), ("mismatch", 0.2)):
        (root / folder / "l0_stream").mkdir(parents=True)
        (root / folder / "l0_stream" / "pass_0001_vc1.cadu").write_bytes(bytes(round(megabytes * 1e6)))
    return root


def test_service_times_come_from_the_ledger_of_a_run(tmp_path):
    one_ppm = 1e-6
    found = service.measured(a_run(tmp_path))
    assert found.source == str(tmp_path)
    assert found.rates["l0"].start_s == pytest.approx(1.0, rel=one_ppm)
    assert found.rates["l0"].each_s == pytest.approx(1.0, rel=one_ppm)  # s a MB
    assert found.rates["l2"].each_s == pytest.approx(0.1, rel=one_ppm)  # 126 and 12 soundings
    assert found.rates["l2"].start_s == pytest.approx(1.0, rel=one_ppm)
    assert found.rates["l1a"].separate  # 12 and 6 soundings: just unlike enough
    l1b = found.rates["l1b"]
    assert not l1b.separate
    assert (l1b.start_s, l1b.each_s) == (0.5, pytest.approx((2.7 - 1.0) / (78 + 60), rel=one_ppm))
    assert found.us("l2", 12) == 2_200_000


def test_each_pass_has_the_size_of_its_own_streams(tmp_path):
    for number, size in ((1, 1_000_000), (2, 3_000_000)):
        (tmp_path / "l0_stream").mkdir(exist_ok=True)
        (tmp_path / "l0_stream" / f"pass_{number:04d}_vc1.cadu").write_bytes(bytes(size))
    rows = [Row(f"l0-{n}", "l0", f"{n}", "done", 1, 0, 0.0, 1.0, 1.0, 1.0, "", "") for n in (0, 1)]
    assert [service._stream_mb(tmp_path, row) for row in rows] == [1.0, 3.0]


def test_programs_of_a_faulty_run_are_not_counted():
    fault = chain.Variant("burst", Path("faults/burst"), None, catalogue.BY_NAME["burst"])
    variants = {"": chain.Variant("", Path(), None), "burst": fault}
    rows = [Row("l2", "l2", items, "done", 1, 0, 0.0, 1.0, 1.0, 1.0, "", "") for items in ("0,1", "burst/0")]
    assert [service._undisturbed(row, variants) for row in rows] == [True, False]


def test_the_start_up_of_l0_is_taken_for_no_rate(tmp_path):
    root = a_run(tmp_path)
    ledger = Ledger(root / "ledger.sqlite")
    ledger._db.execute("DELETE FROM tasks WHERE stage = 'l0' AND granule != '0'")
    ledger.close()
    assert service.measured(root).rates["l0"] == Rate(3.0, 0.0, separate=False)


def test_the_last_granule_of_a_mission_is_a_whole_one():
    seen = {"mode": "plan", "soundings": 25, "start_latitude": 22.0}
    data = {"name": "m", "start": datetime(2026, 7, 1, tzinfo=UTC), "observation": seen, "requirements": []}
    data["mission"] = {"duration": 3600.0}
    asked = Scenario.model_validate(data, context={"stored_units": True})
    found = {one.name: one for one in chain.variants(asked)}
    row = Row("l1a-2", "l1a", "2", "done", 1, 0, 0.0, 1.0, 1.0, 1, "", "")
    assert service._soundings(found, row) == 12


def test_without_a_measured_run_one_is_asked_for(tmp_path):
    with pytest.raises(BadInput, match=r"expected a finished run .* make one first, `twin run"):
        service.measured(tmp_path)
    a_run(tmp_path)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger._db.execute("UPDATE tasks SET state = 'failed' WHERE stage = 'l1b'")
    ledger.close()
    with pytest.raises(BadInput, match="expected finished programs of l1b, found none"):
        service.measured(tmp_path)
