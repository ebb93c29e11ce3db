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

from twin.chain import SENT, Variant, variants
from twin.faults.catalogue import Fault
from twin.scenario import Scenario
from twin.verify import packets

LEVELS = ("l1a", "l1b", "l2")
HOW_IT_CAME = ("band_corrected",)  # variables of the way down, not of the measurement
Values = dict[str, bytes]  # variable -> its value of one sounding, as bits
Row = dict[str, Any]


@dataclass(frozen=True)
class Product:
    """All soundings of a level: their values bit by bit, and which of them are flagged."""

    values: dict[int, Values]
    flags: dict[int, set[str]]


@dataclass(frozen=True)
class Comparison:
    """What became of the soundings of the run itself in the faulty one."""

    identical: set[int]  # in every level
    missing: set[int]  # without a row in L2
    flagged: set[int]  # changed, and a flag says so
    silent: set[int]  # changed, and no flag says so


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
    counters = _counters(run_dir, variant, account.counters, other, found)
    counters["frame_count_wraps"] = told["frame_count_wraps"]
    problems = [
        *_broken(fault, found, set(told["touched"])),
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
    return Comparison(**sets)


def _broken(fault: Fault, found: Comparison, touched: set[int]) -> list[str]:
    """Say where the assertion does not hold."""
    said = []
    allowed = {
        "recovered": set(),
        "flagged": found.flagged | found.missing,
        "lost": found.missing,
    }[fault.outcome]
    may = touched if fault.outcome == "flagged" else allowed
    changed = found.flagged | found.missing | found.silent
    for keys, what in (
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


def _counters(
    run_dir: Path, variant: Variant, of_packets: Counter[str], other: dict[str, Product], found: Comparison
) -> Counter[str]:
    """Gather what can prove that a fault struck."""
    counters = Counter(of_packets)
    counters["soundings_missing"] = len(found.missing)
    for level in ("l1a", "l2"):
        for names in other[level].flags.values():
            counters.update(f"flagged_{name}" for name in names)
    rows = _tasks(run_dir, variant.name)
    counters["attempts"] = max((attempts for *_, attempts in rows), default=0)
    for path in (run_dir / "jobs").glob(f"*-{variant.name}-*.again.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        counters["refused_again"] += told["exit_code"] != 0
        counters["product_unchanged"] += told["product_unchanged"]
    return counters


def failures(run_dir: Path, name: str) -> dict[str, int]:
    """Count the programs of a variant that failed for good, by what they said."""
    said = Counter(
        f"{task}: {state}: {tail.strip().splitlines()[-1] if tail.strip() else 'no message'}"
        for task, state, tail, _ in _tasks(run_dir, name)
        if state not in ("done", "running")
    )
    return dict(said)


def _tasks(run_dir: Path, name: str) -> list[tuple[str, str, str, int]]:
    """Return task, state, last words and attempts of the programs that had a granule of the variant."""
    db = sqlite3.connect(run_dir / "ledger.sqlite")
    try:
        rows = db.execute("SELECT task_id, state, error_tail, attempts, granule FROM tasks").fetchall()
    finally:
        db.close()
    return [
        (task, state, tail, attempts)
        for task, state, tail, attempts, items in rows
        if any(item.rpartition("/")[0] == name for item in items.split(","))
    ]


def _read(folder: Path) -> Product:
    values: dict[int, Values] = {}
    flags: dict[int, set[str]] = {}
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
            values[key] = {name: column[row].tobytes() for name, column in columns.items()}
            flags[key] = {
                word
                for name, meanings in bits.items()
                for mask, word in meanings.items()
                if int(columns[name][row]) & mask
            }
    return Product(values, flags)


def _meanings(variable: netCDF4.Variable) -> dict[int, str]:
    return dict(zip(np.atleast_1d(variable.flag_masks).tolist(), variable.flag_meanings.split(), strict=True))
