"""A faulty run against the run itself: what is identical, flagged, missing or changed in silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from twin.faults.catalogue import BY_NAME, Fault
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


def put(file, name, values, kind="i8"):
    file.createVariable(name, kind, ("sounding",))[:] = values


def test_how_a_packet_came_is_no_difference(tmp_path):
    own, other = write(tmp_path / "own"), write(tmp_path / "another")
    assert trials.compare(own, other) == trials.Comparison(set(IDS.tolist()), set(), set(), set())


def test_soundings_are_sorted_by_what_became_of_them(tmp_path):
    own = write(tmp_path / "own")
    changed = {2: 401.0, 3: 402.0, 4: np.nextafter(400.0, 500.0)}
    other = write(tmp_path / "b", IDS[:-1], changed, flags={2: 1}, reasons={3: 2})
    found = trials.compare(own, other)
    assert (found.identical, found.flagged, found.missing, found.silent) == ({1, 5}, {2, 3}, {6}, {4})


def test_a_flag_that_was_there_before_excuses_nothing(tmp_path):
    own = write(tmp_path / "own", flags={2: 1})
    other = write(tmp_path / "b", xco2={2: 401.0}, flags={2: 1})
    assert trials.compare(own, other).silent == {2}


def found(identical=(), missing=(), flagged=(), silent=()) -> trials.Comparison:
    return trials.Comparison(set(identical), set(missing), set(flagged), set(silent))


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
        ("lost", found(identical=IDS[1:], missing=[1]), set(), True),
        ("lost", found(identical=IDS[1:], flagged=[1]), set(), False),
    ],
)
def test_each_assertion_holds_and_fails(outcome, seen, touched, holds):
    problems = trials._broken(Fault("f", "test", "", outcome), seen, touched)
    assert (not problems) == holds, problems


def test_a_fault_must_be_seen_to_strike():
    fault = BY_NAME["packet_duplicate"]
    assert trials._not_shown(fault, Counter(packets_duplicate=5)) == []
    assert trials._not_shown(fault, Counter(packets_duplicate=4)) == [
        "the fault did not show: packets_duplicate is 4, expected at least 5"
    ]


def test_failed_programs_are_told_by_variant(fake_run):
    from twin.ledger import Ledger, Row

    root = fake_run.write()
    ledger = Ledger(root / "ledger.sqlite")
    for n, granule in enumerate(("burst/0", "long_burst/0,burst/1", "0")):
        ledger.put(Row(f"l2-{n}", "l2", granule, "failed", 3, 1, 0.0, 1.0, 1.0, 1.0, "", "x\nIt broke"))
    ledger.close()
    assert trials.failures(root, "burst") == {"l2-0: failed: It broke": 1, "l2-1: failed: It broke": 1}
    assert trials.failures(root, "long_burst") == {"l2-1: failed: It broke": 1}
    assert trials.failures(root, "") == {"l2-2: failed: It broke": 1}
