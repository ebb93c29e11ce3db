"""Judge each fault that was tried: compare the faulty run with the run itself, sounding by sounding."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from twin.chain import FOVS, FRAMES_A_GRANULE, SENT, Variant, variants
from twin.faults.catalogue import Fault
from twin.scenario import Scenario
from twin.telemetry import frames
from twin.verify import packets

GRANULE = FOVS * FRAMES_A_GRANULE  # soundings
LEVELS = ("l1a", "l1b", "l2")
HOW_IT_CAME = ("band_corrected",)  # variables of the way down, not of the measurement
Values = dict[str, bytes]  # variable -> its value of one sounding, as bits
Row = dict[str, Any]


@dataclass(frozen=True)
class _Program:
    """What the ledger says of a program."""

    task_id: str
    stage: str
    state: str
    error_tail: str
    attempts: int
    started_unix_s: float
    items: tuple[str, ...]  # its granules of the variant


@dataclass(frozen=True)
class Product:
    """All soundings of a level: their values bit by bit, and which of them are flagged."""

    values: dict[int, Values]
    flags: dict[int, set[str]]
    twice: frozenset[int] = frozenset()  # soundings with more than one row


@dataclass(frozen=True)
class Comparison:
    """What became of the soundings of the run itself in the faulty one."""

    identical: set[int]  # in every level
    missing: set[int]  # without a row in L2
    flagged: set[int]  # changed, and a flag says so
    silent: set[int]  # changed, and no flag says so
    unexpected: set[int]  # not in the run itself, or there twice


def judge(run_dir: Path, scenario: Scenario) -> list[Row]:
    """Give one row a fault of the scenario, in the order of the catalogue."""
    faulty = [variant for variant in variants(scenario) if variant.fault]
    if not faulty:
        return []
    own = {level: _read(run_dir / level) for level in LEVELS}
    return [_row(run_dir, variant, variant.fault, own) for variant in faulty if variant.fault]


def figures(rows: list[Row]) -> dict[str, float]:
    return {"faults_tried": len(rows), "faults_failed": sum(not row["holds"] for row in rows)}


def _row(run_dir: Path, variant: Variant, fault: Fault, own: dict[str, Product]) -> Row:
    root = run_dir / variant.root
    told = json.loads((root / SENT).read_text(encoding="utf-8"))
    other = {level: _read(root / level) for level in LEVELS}
    account = packets.account(root)
    found = compare(own, other)
    counters = _counters(run_dir, variant, fault, account.counters, found)
    counters.update(_new_flags(own, other))
    problems = [
        *_broken(fault, found, set(told["touched"]) | _struck(fault, own)),
        *_not_shown(fault, counters),
        *_unaccounted(account),
    ]
    return {
        "fault": fault.name,
        "family": fault.family,
        "what": fault.what,
        "assertion": fault.assertion,
        "holds": not problems,
        "problems": problems,
        "soundings": {
            "identical": len(found.identical),
            "flagged": len(found.flagged),
            "missing": len(found.missing),
            "changed without a flag": len(found.silent),
        },
        "shown": {name: counters[name] for name in fault.shows},
        "packets": {kind: sum(row[kind] for row in account.table) for kind in ("sent", *packets.KINDS)},
        "reasons": dict(account.reasons) | failures(run_dir, variant.name),
    }


def compare(own: dict[str, Product], other: dict[str, Product]) -> Comparison:
    """Sort the soundings of the run itself by what the faulty run made of them."""
    sets: dict[str, set[int]] = {"identical": set(), "missing": set(), "flagged": set(), "silent": set()}
    for key in own["l1a"].values:
        if key not in other["l2"].values:
            sets["missing"].add(key)
        elif all(own[level].values.get(key) == other[level].values.get(key) for level in LEVELS):
            sets["identical"].add(key)
        elif any(other[level].flags.get(key, set()) - own[level].flags.get(key, set()) for level in LEVELS):
            sets["flagged"].add(key)
        else:
            sets["silent"].add(key)
    twice = {key for level in LEVELS for key in other[level].twice}
    strangers = {key for level in LEVELS for key in other[level].values} - set(own["l1a"].values)
    return Comparison(**sets, unexpected=twice | strangers)


def _struck(fault: Fault, own: dict[str, Product]) -> set[int]:
    """Return the soundings of the program that a lasting fault strikes: those of the first granule."""
    return set(sorted(own["l1a"].values)[:GRANULE]) if fault.outcome == "lost" else set()


def _broken(fault: Fault, found: Comparison, touched: set[int]) -> list[str]:
    """Say where the assertion does not hold."""
    said = []
    allowed = {
        "recovered": set(),
        "flagged": found.flagged | found.missing,
        "lost": found.missing,
    }[fault.outcome]
    may = set() if fault.outcome == "recovered" else touched
    changed = found.flagged | found.missing | found.silent
    for keys, what in (
        (found.unexpected, "never observed or there twice"),
        (found.silent, "changed without a flag"),
        (changed - allowed, "not as without the fault"),
        (changed - may, "changed though the fault did not touch them"),
    ):
        if keys:
            said.append(f"{len(keys)} soundings {what}, first {min(keys)}")
    if fault.outcome != "recovered" and not changed:
        said.append("no sounding shows the fault")
    return said


def _not_shown(fault: Fault, counters: Counter[str]) -> list[str]:
    return [
        f"the fault did not show: {name} is {counters[name]}, expected at least {least}"
        for name, least in fault.shows.items()
        if counters[name] < least
    ]


def _unaccounted(account: packets.Account) -> list[str]:
    lost = sum(row["unaccounted"] for row in account.table)
    reasons = [text for text in account.reasons if text.startswith("unaccounted")]
    return [f"{lost} packets unaccounted for: {'; '.join(reasons)}"] if lost else []


def _new_flags(own: dict[str, Product], other: dict[str, Product]) -> Counter[str]:
    """Count the soundings of each flag that the run itself does not give them."""
    return Counter(
        f"flagged_{name}"
        for level in ("l1a", "l2")
        for key, names in other[level].flags.items()
        for name in names - own[level].flags.get(key, set())
    )


def _counters(
    run_dir: Path, variant: Variant, fault: Fault, of_packets: Counter[str], found: Comparison
) -> Counter[str]:
    """Gather what can prove that a fault struck."""
    counters = Counter(of_packets)
    counters["soundings_missing"] = len(found.missing)
    counters["frame_count_wraps"] = _frame_count_wraps(run_dir / variant.root / "l0_stream")
    rows = [row for row in _tasks(run_dir, variant.name) if row.stage == fault.step]
    counters["attempts"] = max((row.attempts for row in rows), default=0)
    for path in (run_dir / "jobs").glob(f"*-{variant.name}-*.again.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        counters["refused_again"] += told["exit_code"] != 0
        counters["product_unchanged"] += told["product_unchanged"]
    return counters


def _frame_count_wraps(folder: Path) -> int:
    """Count in the streams received how often the counter of a virtual channel starts again."""
    at = frames.COUNTER_AT
    noise = frames.randomiser(at + 1)[at - frames.SYNC_MARKER.size]
    streams = (np.fromfile(path, np.uint8) for path in folder.glob("*.cadu"))
    counters = ((octets[at :: frames.CADU_BYTES] ^ noise).astype(int) for octets in streams)
    return sum(int((np.diff(counter) == -255).sum()) for counter in counters)


def failures(run_dir: Path, name: str) -> dict[str, int]:
    """Count the programs of a variant that failed for good, by what they said."""
    failed = {row.task_id: row for row in _failed(run_dir, name).values()}
    return dict(Counter(f"{row.task_id}: {row.state}: {_last_words(row)}" for row in failed.values()))


def granules_failed(run_dir: Path, name: str) -> Counter[str]:
    """Count the granules of a variant whose program failed for good, by stage."""
    return Counter(stage for stage, _ in _failed(run_dir, name))


def _failed(run_dir: Path, name: str) -> dict[tuple[str, str], _Program]:
    """Return the program that failed by stage and granule.

    One whose granules another program made later is none, nor is one that was only interrupted.
    """
    last: dict[tuple[str, str], _Program] = {}
    for row in sorted(_tasks(run_dir, name), key=lambda row: row.started_unix_s):
        last.update(((row.stage, item), row) for item in row.items)
    return {place: row for place, row in last.items() if row.state in ("failed", "timeout")}


def _last_words(row: _Program) -> str:
    return row.error_tail.strip().splitlines()[-1] if row.error_tail.strip() else "no message"


def _tasks(run_dir: Path, name: str) -> list[_Program]:
    """Return the programs that had a granule of the variant, with those granules."""
    db = sqlite3.connect(run_dir / "ledger.sqlite")
    try:
        rows = db.execute(
            "SELECT task_id, stage, state, error_tail, attempts, started_unix_s, granule FROM tasks"
        ).fetchall()
    finally:
        db.close()
    told = []
    for task, stage, state, tail, attempts, started_unix_s, granules in rows:
        mine = tuple(item for item in granules.split(",") if item.rpartition("/")[0] == name)
        if mine:
            told.append(_Program(task, stage, state, tail, attempts, started_unix_s, mine))
    return told


def _read(folder: Path) -> Product:
    values: dict[int, Values] = {}
    flags: dict[int, set[str]] = {}
    twice: set[int] = set()
    for path in sorted(folder.glob("*.nc")):
        with netCDF4.Dataset(path) as file:
            file.set_auto_mask(False)
            columns = {
                name: np.asarray(variable[:])
                for name, variable in file.variables.items()
                if variable.dimensions[:1] == ("sounding",) and name not in HOW_IT_CAME
            }
            bits = {
                name: _meanings(file[name]) for name in ("quality_flag", "quality_reasons") if name in columns
            }
        for row, key in enumerate(columns["sounding_id"].tolist()):
            twice |= {key} & values.keys()
            values[key] = {name: column[row].tobytes() for name, column in columns.items()}
            flags[key] = {
                word
                for name, meanings in bits.items()
                for mask, word in meanings.items()
                if int(columns[name][row]) & mask
            }
    return Product(values, flags, frozenset(twice))


def _meanings(variable: netCDF4.Variable) -> dict[int, str]:
    return dict(zip(np.atleast_1d(variable.flag_masks).tolist(), variable.flag_meanings.split(), strict=True))
