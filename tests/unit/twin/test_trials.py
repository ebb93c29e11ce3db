"""A faulty run against the run itself: what is identical, flagged, missing or changed in silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from twin.chain import Variant
from twin.faults.catalogue import BY_NAME, Fault
from twin.telemetry import frames
from twin.verify import trials

IDS = np.arange(1, 7)


def write(root: Path, ids=IDS, xco2=None, flags=None, reasons=None) -> dict[str, trials.Product]:
    """Products of three levels; `flags` of L1A and `reasons` of L2 by sounding."""
    for level in trials.LEVELS:
        (root / level).mkdir(parents=True, exist_ok=True)
        with netCDF4.Dataset(root / level / f"{level}.nc", "w") as file:
            file.createDimension("sounding", len(ids))
            put(file, "sounding_id", ids)
            put(file, "value", [(xco2 or {}).get(i, 400.0) if level == "l2" else 1.0 for i in ids], "f8")
            put(file, "band_corrected", [len(root.name)] * len(ids))
            name, given = ("quality_reasons", reasons) if level == "l2" else ("quality_flag", flags)
            put(file, name, [(given or {}).get(i, 0) if level != "l1b" else 0 for i in ids])
            file[name].flag_masks = np.array([1, 2], np.int64)
            file[name].flag_meanings = "late dark"
    return {level: trials._read(root / level) for level in trials.LEVELS}


def found(identical=(), missing=(), flagged=(), silent=(), unexpected=()) -> trials.Comparison:
    return trials.Comparison(set(identical), set(missing), set(flagged), set(silent), set(unexpected))


def put(file, name, values, kind="i8"):
    file.createVariable(name, kind, ("sounding",))[:] = values


def test_how_a_packet_came_is_no_difference(tmp_path):
    own, other = write(tmp_path / "own"), write(tmp_path / "another")
    assert trials.compare(own, other) == found(identical=IDS.tolist())


def test_soundings_are_sorted_by_what_became_of_them(tmp_path):
    own = write(tmp_path / "own")
    changed = {2: 401.0, 3: 402.0, 4: np.nextafter(400.0, 500.0)}
    other = write(tmp_path / "b", IDS[:-1], changed, flags={2: 1}, reasons={3: 2})
    assert trials.compare(own, other) == found({1, 5}, {6}, {2, 3}, {4})


def test_a_sounding_from_nowhere_or_there_twice_is_unexpected(tmp_path):
    own, more = write(tmp_path / "own", IDS[:-1]), write(tmp_path / "more")
    assert trials.compare(own, more).unexpected == {6}
    (tmp_path / "more" / "l1b" / "again.nc").write_bytes((tmp_path / "more/l1b/l1b.nc").read_bytes())
    again = {level: trials._read(tmp_path / "more" / level) for level in trials.LEVELS}
    assert trials.compare(more, again).unexpected == set(IDS.tolist())


def test_flags_that_the_run_itself_has_show_no_fault(tmp_path):
    own = write(tmp_path / "own", flags={1: 2, 2: 2})
    other = write(tmp_path / "b", flags={1: 2, 2: 3, 3: 2}, reasons={1: 2})
    assert trials._new_flags(own, other) == {"flagged_late": 1, "flagged_dark": 2}


def test_a_flag_that_was_there_before_excuses_nothing(tmp_path):
    own = write(tmp_path / "own", flags={2: 1})
    other = write(tmp_path / "b", xco2={2: 401.0}, flags={2: 1})
    assert trials.compare(own, other).silent == {2}


@pytest.mark.parametrize(
    ("outcome", "seen", "touched", "holds"),
    [
        ("recovered", found(identical=IDS), set(), True),
        ("recovered", found(identical=IDS[1:], flagged=[1]), {1}, False),
        ("recovered", found(identical=IDS[1:], missing=[1]), {1}, False),
        ("flagged", found(identical=IDS[2:], flagged=[1], missing=[2]), {1, 2}, True),
        ("flagged", found(identical=IDS[1:], flagged=[1]), {2}, False),
        ("flagged", found(identical=IDS[1:], silent=[1]), {1}, False),
        ("flagged", found(identical=IDS), {1}, False),
        ("lost", found(identical=IDS[1:], missing=[1]), {1}, True),
        ("lost", found(identical=IDS[1:], missing=[1]), {2}, False),
        ("lost", found(identical=IDS[1:], flagged=[1]), {1}, False),
        ("recovered", found(identical=IDS, unexpected=[7]), set(), False),
        ("flagged", found(identical=IDS[1:], flagged=[1], unexpected=[7]), {1, 7}, False),
    ],
)
def test_each_assertion_holds_and_fails(outcome, seen, touched, holds):
    problems = trials._broken(Fault("f", "test", "", outcome), seen, touched)
    assert (not problems) == holds, problems


def test_a_lasting_fault_may_cost_its_granule_alone():
    ids = [*range(7), *range(20, 30)]
    own = {"l1a": trials.Product({key: {} for key in reversed(ids)}, {})}
    assert trials._struck(BY_NAME["processor_crash_lasting"], own) == {*range(7), *range(20, 25)}
    assert trials._struck(BY_NAME["packet_loss"], own) == set()


def test_a_fault_must_be_seen_to_strike():
    fault = BY_NAME["packet_duplicate"]
    assert trials._not_shown(fault, Counter(packets_duplicate=5)) == []
    assert trials._not_shown(fault, Counter(packets_duplicate=4)) == [
        "the fault did not show: packets_duplicate is 4, expected at least 5"
    ]


def ledger_of(fake_run, rows: list[tuple[str, str, str, str, int]]) -> Path:
    """A run whose ledger has task, stage, granules, state and attempts, one begun after the other."""
    from twin.ledger import Ledger, Row

    root = fake_run.write()
    ledger = Ledger(root / "ledger.sqlite")
    for n, (task, stage, granule, state, attempts) in enumerate(rows):
        ledger.put(Row(task, stage, granule, state, attempts, 1, 10.0 * n, 1, 1, 1, "", "x\nIt broke"))
    ledger.close()
    return root


def test_failed_programs_are_told_by_variant(fake_run):
    root = ledger_of(
        fake_run,
        [
            (f"l2-{n}", "l2", granule, "failed", 3)
            for n, granule in enumerate(("burst/0", "long_burst/0,burst/1", "0"))
        ],
    )
    assert trials.failures(root, "burst") == {"l2-0: failed: It broke": 1, "l2-1: failed: It broke": 1}
    assert trials.failures(root, "long_burst") == {"l2-1: failed: It broke": 1}
    assert trials.failures(root, "") == {"l2-2: failed: It broke": 1}


def test_what_was_interrupted_or_made_later_excuses_nothing(fake_run):
    root = ledger_of(
        fake_run,
        [
            ("l2--0000", "l2", "0,1", "failed", 2),
            ("l2--0001", "l2", "1", "interrupted", 1),
            ("l2--0002", "l2", "0,1", "done", 1),
            ("l1b--0000", "l1b", "0", "timeout", 1),
            ("l1b--0001", "l1b", "1", "interrupted", 1),
        ],
    )
    assert trials.failures(root, "") == {"l1b--0000: timeout: It broke": 1}


def test_attempts_are_those_at_the_step_that_was_struck(fake_run):
    root = ledger_of(
        fake_run,
        [("telemetry", "telemetry", "file_late/0", "done", 2), ("l0", "l0", "file_late/0", "done", 1)],
    )
    fault = BY_NAME["file_late"]
    variant = Variant(fault.name, Path("faults") / fault.name, fake_run.scenario, fault)
    assert trials._counters(root, variant, fault, Counter(), found())["attempts"] == 1


def test_wraps_of_the_frame_counter_are_read_from_the_stream(tmp_path):
    packets = {vcid: [bytes(1000)] * 20 for vcid in (1, 2)}
    for first, wraps in ((0, 0), (250, 2)):
        frames.write_pass(
            tmp_path,
            packets,
            station="Kiruna",
            pass_number=1,
            acquisition_of_signal_utc="",
            loss_of_signal_utc="",
            first_count=dict.fromkeys(packets, first),
        )
        assert trials._frame_count_wraps(tmp_path) == wraps
