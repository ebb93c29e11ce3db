"""Follow every packet and sounding of a run through its files and say where it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import BadInput
from twin.verify import join, measures, trials
from twin.verify import packets as packet_account

LEVELS = ("l1a", "l1b", "l2")
OF_THE_RUN = ("geometry.nc", "truth.nc")
OF_THE_STREAM = ("sent_packets.csv", "l0")
FAULTS = "faults"  # folder of the faults of a run
Table = list[dict[str, Any]]


@dataclass(frozen=True)
class Balance:
    """What was sent and observed, and what became of it."""

    packets: Table  # one row an APID
    packet_reasons: dict[str, int]  # of those that did not arrive well
    levels: Table  # one row a level: files, soundings, of those observed missing, and unexpected
    outcomes: dict[str, int]  # soundings; each observed one counts once
    reasons: dict[str, int]  # of bad quality, of the soundings in L2; one may have several
    failures: dict[str, int]  # programs that made no product, and why
    complaints: list[str]  # what is lost without a reason or comes from nowhere


def of(root: Path) -> Balance:
    """Balance the files of a run or of one of its faults (RUN/faults/NAME); BadInput where it is none.

    A fault shares orbit, truth and ledger with its run.
    """
    root = root.absolute()
    fault = root.name if root.parent.name == FAULTS else ""
    home = root.parent.parent if fault else root
    for path in (*(home / name for name in OF_THE_RUN), *(root / name for name in OF_THE_STREAM)):
        if not path.exists():
            raise BadInput(
                f"{root}: expected the directory of a run with {path.name}, got none: name one under runs/"
            )
    account = packet_account.account(root)
    soundings = join.load(root, home / "truth.nc", home / "geometry.nc")
    observed = soundings.observed["sounding_id"]
    levels = [_level(root / name, observed) for name in LEVELS if (root / name).is_dir()]
    reasons = {row["reason"]: row["soundings"] for row in measures.reasons(soundings) if row["soundings"]}
    failures = trials.failures(home, fault)
    return Balance(
        account.table,
        dict(account.reasons),
        levels,
        _outcomes(soundings),
        reasons,
        failures,
        _complaints(account.table, levels, trials.granules_failed(home, fault)),
    )


def _outcomes(soundings: join.Soundings) -> dict[str, int]:
    kept, counted, declined = (
        int(rows.sum()) for rows in (soundings.kept, soundings.counted, soundings.not_attempted)
    )
    rows = soundings.l2["sounding_id"].size
    return {
        "kept": kept,
        "converged, of bad quality": counted - kept,
        "not converged": rows - counted - declined,
        "declined by the retrieval": declined,
        "missing": soundings.observed["sounding_id"].size - rows,
    }


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


def _complaints(packets: Table, levels: Table, failed: Mapping[str, int]) -> list[str]:
    """Name what is lost without a reason; a program that failed for good excuses what it did not make.

    failed  granules of such programs by level
    """
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
        lost = row["missing"] - before - join.BLOCK_SOUNDINGS * failed.get(row["level"], 0)
        if lost > 0:
            said.append(f"{lost} soundings are lost between {source} and {row['level']}")
        before, source = row["missing"], row["level"]
    return said
