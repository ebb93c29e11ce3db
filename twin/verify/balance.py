"""Follow every packet and sounding of a run through its files and say where it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import BadInput
from twin.verify import join, measures
from twin.verify import packets as packet_account

LEVELS = ("l1a", "l1b", "l2")
NEEDED = ("geometry.nc", "truth.nc", "sent_packets.csv", "l0")
Table = list[dict[str, Any]]


@dataclass(frozen=True)
class Balance:
    """What was sent and observed, and what became of it."""

    packets: Table  # one row an APID
    packet_reasons: dict[str, int]  # of those that did not arrive well
    levels: Table  # one row a level: files, soundings, of those observed missing, and unexpected
    outcomes: dict[str, int]  # soundings; each observed one counts once
    reasons: dict[str, int]  # of bad quality, of the soundings in L2; one may have several
    complaints: list[str]  # what is lost without a reason or comes from nowhere


def of(root: Path) -> Balance:
    """Balance the files of a finished run; BadInput where it is none."""
    for name in NEEDED:
        if not (root / name).exists():
            raise BadInput(
                f"{root}: expected the directory of a run with {name}, got none: name one under runs/"
            )
    account = packet_account.account(root)
    packets = account.table
    soundings = join.load(root, root / "truth.nc")
    observed = soundings.observed["sounding_id"]
    levels = [_level(root / name, observed) for name in LEVELS if (root / name).is_dir()]
    kept, counted, declined = (
        int(rows.sum()) for rows in (soundings.kept, soundings.counted, soundings.not_attempted)
    )
    rows = soundings.l2["sounding_id"].size
    outcomes = {
        "kept": kept,
        "converged, of bad quality": counted - kept,
        "not converged": rows - counted - declined,
        "declined by the retrieval": declined,
        "missing": observed.size - rows,
    }
    reasons = {row["reason"]: row["soundings"] for row in measures.reasons(soundings) if row["soundings"]}
    return Balance(packets, dict(account.reasons), levels, outcomes, reasons, _complaints(packets, levels))


def _level(folder: Path, observed: np.ndarray) -> dict[str, Any]:
    paths = sorted(folder.glob("*.nc"))
    there = join.read(paths, ("sounding_id",))["sounding_id"]
    found = np.intersect1d(there, observed).size
    return {
        "level": folder.name,
        "files": len(paths),
        "soundings": found,
        "missing": observed.size - found,
        "unexpected": there.size - found,
    }


def _complaints(packets: Table, levels: Table) -> list[str]:
    said = [
        f"{row['unaccounted']} packets of APID {row['apid']} ({row['content']}) are not accounted for"
        for row in packets
        if row["unaccounted"]
    ]
    said += [
        f"{row['unexpected']} soundings of {row['level']} were not observed or are there twice"
        for row in levels
        if row["unexpected"]
    ]
    # a science packet that did not arrive well costs one sounding at most
    before = sum(row["missing"] + row["quarantined"] for row in packets if row["content"] == "science")
    source = "the packets that arrived"
    for row in levels:
        if row["missing"] > before:
            said.append(f"{row['missing'] - before} soundings are lost between {source} and {row['level']}")
        before, source = row["missing"], row["level"]
    return said
