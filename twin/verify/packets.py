"""Follow each packet sent into L0: accepted, corrected, in quarantine, missing with a cause, or lost.

Packets are told apart by their first 16 octets: primary header, time code, boot count.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

KEY_BYTES = 16
CORRECTED = 1  # bit of the L0 quality flag
COUNTS = 16_384  # sequence counts before they start again
SWAPPED = 64  # counts by which a packet may come late; further back the counts began again
KINDS = ("accepted", "corrected", "quarantined", "missing")
APIDS = {256: "science", 257: "housekeeping", 258: "attitude and ephemeris"}
AT_THE_ENDS = "before the first or after the last that was received"
Numbered = tuple[int, int]  # (APID, sequence count)


@dataclass(frozen=True)
class Pass:
    """What one L0 product says."""

    kept: dict[str, bool]  # packet -> corrected
    quarantined: set[Numbered]  # those that stand for a packet
    gap: set[Numbered]
    claimed: Counter[int]  # packets in gaps by APID, as L0 counts them
    counters: dict[str, int]
    disorder: int  # packets that came after one of a higher count of their kind
    wraps: int  # times that the counts of a kind began again


@dataclass
class Account:
    sent: Counter[int] = field(default_factory=Counter)
    states: dict[int, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)  # of packets that are missing or in quarantine
    strangers: int = 0  # packets in L0 that were never sent
    miscounted: int = 0  # packets by which the counters of L0 are off
    counters: Counter[str] = field(default_factory=Counter)  # scalars of L0, and what was counted here

    @property
    def table(self) -> list[dict[str, Any]]:
        """One row an APID."""
        return [
            {
                "apid": apid,
                "content": APIDS.get(apid, "unknown"),
                "sent": self.sent[apid],
                **{kind: states[kind] for kind in KINDS},
                "unaccounted": states["unaccounted"],
            }
            for apid, states in sorted(self.states.items())
        ]


def account(root: Path) -> Account:
    """Compare sent_packets.csv with the L0 products under `root`."""
    with (root / "sent_packets.csv").open(newline="", encoding="utf-8") as stream:
        sent = list(csv.DictReader(stream))
    passes = [_read(path) for path in sorted((root / "l0").glob("*.nc"))]
    found = Account()
    ends = [_ends(sent, one) for one in passes]
    for row, packet in enumerate(sent):
        apid = int(packet["apid"])
        state, why = _state(packet, row, passes, ends)
        found.sent[apid] += 1
        found.states.setdefault(apid, Counter())[state] += 1
        if state not in ("accepted", "corrected"):
            found.reasons[f"{state}: {why}"] += 1
        found.counters["packets_at_the_ends"] += why.endswith(AT_THE_ENDS)
    _add_counters(found, sent, passes)
    return found


def _state(
    packet: dict[str, str], row: int, passes: list[Pass], ends: list[dict[int, tuple[int, int]]]
) -> tuple[str, str]:
    """Say where a packet ended, and why when it did not arrive well."""
    receptions = [one.kept[packet["header"]] for one in passes if packet["header"] in one.kept]
    if receptions:
        return ("corrected" if all(receptions) else "accepted"), ""
    number = int(packet["apid"]), int(packet["sequence_count"])
    cause = (packet.get("hit") or "").split(": ")[-1]  # without the frame it happened to
    first, last = packet.get("first_frame"), packet.get("last_frame")
    where = cause or f"no cause known, frames {first} to {last}"
    quarantined = any(number in one.quarantined for one in passes)
    if not cause:
        return "unaccounted", f"in quarantine, {where}" if quarantined else where
    if quarantined:
        return "quarantined", where
    if any(number in one.gap for one in passes):
        return "missing", where
    outside = all(not low <= row <= high for low, high in (one.get(number[0], (1, 0)) for one in ends))
    return ("missing", f"{where}; {AT_THE_ENDS}") if outside else ("unaccounted", f"{where}; in no gap of L0")


def _read(path: Path) -> Pass:
    with netCDF4.Dataset(path) as file:
        data, at = (
            np.asarray(file["packet_data"][:], np.uint8),
            np.asarray(file["packet_offset"][:], np.int64),
        )
        corrected = (np.asarray(file["quality_flag"][:]) & CORRECTED) != 0
        keys = data[at[:, None] + np.arange(KEY_BYTES)] if at.size else np.zeros((0, KEY_BYTES), np.uint8)
        kept = {key.tobytes().hex(): bool(fix) for key, fix in zip(keys, corrected, strict=True)}
        stands = _column(file, "quarantine_counted") == 1
        bad = _column(file, "quarantine_apid")[stands], _column(file, "quarantine_sequence_count")[stands]
        gaps = [_column(file, f"gap_{name}") for name in ("apid", "first_sequence_count", "packets")]
        claimed: Counter[int] = Counter()
        gap: set[Numbered] = set()
        for apid, first, count in zip(*(each.tolist() for each in gaps), strict=True):
            claimed[apid] += count
            gap.update((apid, (first + n) % COUNTS) for n in range(count))
        scalars = {n: int(v[...]) for n, v in file.variables.items() if v.ndim == 0 and v.dtype.kind == "i"}
        quarantined = set(zip(*(each.tolist() for each in bad), strict=True))
        step = _steps(_column(file, "apid"), _column(file, "sequence_count"))
        disorder, wraps = int((step == -1).sum()), int((step < -SWAPPED).sum())
        return Pass(kept, quarantined, gap, claimed, scalars, disorder, wraps)


def _steps(apid: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the steps of the sequence counts of each kind in the order received."""
    return np.concatenate([np.zeros(0, int), *(np.diff(count[apid == each]) for each in np.unique(apid))])


def _column(file: netCDF4.Dataset, name: str) -> np.ndarray:
    return np.ma.filled(file[name][:], -1).astype(np.int64)


def _ends(sent: list[dict[str, str]], received: Pass) -> dict[int, tuple[int, int]]:
    """Return the first and last row sent of each APID that a pass received."""
    rows: dict[int, list[int]] = {}
    for row, packet in enumerate(sent):
        if packet["header"] in received.kept:
            rows.setdefault(int(packet["apid"]), []).append(row)
    return {apid: (found[0], found[-1]) for apid, found in rows.items()}


def _add_counters(found: Account, sent: list[dict[str, str]], passes: list[Pass]) -> None:
    """Sum the counters of the passes, and count what no packet sent stands for as unaccounted."""
    headers = {packet["header"] for packet in sent}
    numbers = {(int(packet["apid"]), int(packet["sequence_count"])) for packet in sent}
    seen: Counter[str] = Counter()
    invented = 0  # packets that L0 says are in quarantine and that were never sent
    for one in passes:
        invented += len(one.quarantined - numbers)
        found.counters.update(one.counters)
        seen.update(list(one.kept))
        found.strangers += sum(header not in headers for header in one.kept)
        found.miscounted += abs(_said(one) - len(one.kept))
        for apid, claimed in one.claimed.items():
            excess = claimed - _absent(apid, sent, one)
            if excess > 0:
                found.states.setdefault(apid, Counter())["unaccounted"] += excess
                found.reasons[
                    f"unaccounted: {excess} packets of APID {apid} that L0 misses were never sent"
                ] += 1
    for count, what in (
        (found.strangers, "packets in L0 that were never sent"),
        (found.miscounted, "packets between the counters of L0 and its contents"),
        (invented, "packets in the quarantine of L0 that were never sent"),
    ):
        if count:
            found.states.setdefault(-1, Counter())["unaccounted"] += count
            found.reasons[f"unaccounted: {what}"] += count
    found.counters["passes"] = len(passes)
    found.counters["packets_in_two_passes"] = sum(count > 1 for count in seen.values())
    found.counters["packets_out_of_order"] = sum(one.disorder for one in passes)
    found.counters["sequence_count_wraps"] = sum(one.wraps for one in passes)


def _said(one: Pass) -> int:
    return one.counters["packets_accepted"] + one.counters["packets_corrected"]


def _absent(apid: int, sent: list[dict[str, str]], one: Pass) -> int:
    """Count the packets of an APID in the gaps of a pass that it did not keep."""
    return sum(
        int(packet["apid"]) == apid
        and (apid, int(packet["sequence_count"])) in one.gap
        and packet["header"] not in one.kept
        for packet in sent
    )
