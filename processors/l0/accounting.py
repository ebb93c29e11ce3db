"""Account for every packet: accepted, corrected, quarantined, received again or missing by sequence count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.l0.packets import INTERRUPTED, PACKET_BYTES, WHOLE, Pieces

COUNTS = 16_384  # packet sequence counts before they start again
# packets a second that each application sends at most: 12 and 1 a frame of 1.304 s, 1 of attitude [A]
RATE = {256: 12 / 1.304, 257: 1 / 1.304, 258: 1.0}
SPARE = 64  # packets beyond that rate which a gap may still hold
EDGE = 16  # counts beyond the first and last good packet at which one cut off by a lost frame is believed


@dataclass(frozen=True)
class Table:
    """All pieces of a pass in the order received, one row a piece that is not idle."""

    source: np.ndarray  # (row) int64, index into the list of Pieces
    start: np.ndarray  # (row) int64, in the data of its source
    length: np.ndarray
    reason: np.ndarray
    corrected: np.ndarray
    apid: np.ndarray
    sequence_count: np.ndarray
    boot_count: np.ndarray
    vcid: np.ndarray
    key: np.ndarray  # (row, 7) int64, equal for two receptions of one packet


@dataclass(frozen=True)
class Account:
    kept: np.ndarray  # rows of good packets, each once
    repeated: np.ndarray  # (kept) bool: received again later
    bad: np.ndarray  # rows in quarantine
    attributed: np.ndarray  # (bad) bool: stands for a packet that is not among the kept
    duplicates: int
    missing: dict[int, int]  # by APID
    gaps: np.ndarray  # (gap, 3) int64: APID, first sequence count missing, packets missing


def tabulate(sources: list[Pieces]) -> Table:
    columns: dict[str, list[np.ndarray]] = {name: [] for name in Table.__dataclass_fields__}
    for index, pieces in enumerate(sources):
        apid, count, boot = pieces.apid, pieces.sequence_count, pieces.column(14, 2)
        code = [pieces.column(6, 2), pieces.column(8, 4), pieces.column(12, 2)]
        check = np.zeros_like(apid)
        whole = np.flatnonzero(pieces.reason == WHOLE)
        tail = pieces.start[whole] + pieces.length[whole]
        check[whole] = (pieces.data[tail - 2].astype(np.int64) << 8) | pieces.data[tail - 1]
        rows = {
            "source": np.full(apid.size, index),
            "start": pieces.start,
            "length": pieces.length,
            "reason": pieces.reason,
            "corrected": pieces.corrected,
            "apid": apid,
            "sequence_count": count,
            "boot_count": boot,
            "vcid": np.full(apid.size, pieces.vcid),
            "key": np.stack([apid, boot, count, *code, check], axis=1),
        }
        for name, values in rows.items():
            columns[name].append(values[pieces.reason >= WHOLE])
    empty = {"key": np.zeros((0, 7), np.int64), "corrected": np.zeros(0, bool)}
    blank = np.zeros(0, np.int64)
    return Table(
        **{name: np.concatenate([empty.get(name, blank), *parts]) for name, parts in columns.items()}
    )


def account(table: Table) -> Account:
    good = np.flatnonzero(table.reason == WHOLE)
    kept, repeated = _first_of_each(table.key[good])
    kept = good[kept]
    bad = np.flatnonzero(table.reason != WHOLE)
    attributed = np.zeros(bad.size, bool)
    missing, gaps = dict.fromkeys(PACKET_BYTES, 0), [np.zeros((0, 3), np.int64)]
    for apid in PACKET_BYTES:
        mine = kept[table.apid[kept] == apid]
        suspects = np.flatnonzero(table.apid[bad] == apid)
        run = _runs(table, mine, apid)
        for number in np.unique(run):
            rows = mine[run == number]
            order = _unwrap(table.sequence_count[rows])
            near = suspects[_run_before(run, mine, bad[suspects]) == number]
            reach = np.where(table.reason[bad[near]] == INTERRUPTED, EDGE, 1)
            claimed, extra = _claim(rows, order, bad[near], table.sequence_count[bad[near]], reach)
            attributed[near] = claimed
            seen = np.unique(np.concatenate([order, extra]))
            step = np.diff(seen)
            hole = np.flatnonzero(step > 1)
            missing[apid] += int((step - 1).sum())
            first = (seen[hole] + 1) % COUNTS
            gaps.append(np.stack([np.full(hole.size, apid), first, step[hole] - 1], axis=1))
    return Account(kept, repeated, bad, attributed, good.size - kept.size, missing, np.concatenate(gaps))


def _first_of_each(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows of the first of every distinct key, in order received; whether it came again)."""
    if not key.shape[0]:
        return np.zeros(0, np.int64), np.zeros(0, bool)
    _, first, times = np.unique(key, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return first[order], times[order] > 1


def _unwrap(count: np.ndarray) -> np.ndarray:
    """Continue sequence counts past their wrap, taking each step the short way round."""
    return count[:1].sum() + np.concatenate([[0], np.cumsum(_short_way(np.diff(count)))])


def _short_way(step: np.ndarray) -> np.ndarray:
    return (step + COUNTS // 2) % COUNTS - COUNTS // 2


def _runs(table: Table, rows: np.ndarray, apid: int) -> np.ndarray:
    """Number the runs of good packets whose sequence counts belong together.

    A run ends at a reboot, and where the counts jump further than packets can have been sent meanwhile: they
    were set back.
    """
    step = np.abs(_short_way(np.diff(table.sequence_count[rows])))
    days, ms, us = (table.key[rows, column].astype(float) for column in (3, 4, 5))
    between = np.abs(np.diff(86_400.0 * days + 1e-3 * ms + 1e-6 * us))
    breaks = (np.diff(table.boot_count[rows]) != 0) | (step > RATE[apid] * between + SPARE)
    return np.concatenate([np.zeros(min(rows.size, 1), np.int64), np.cumsum(breaks)])


def _run_before(run: np.ndarray, rows: np.ndarray, suspects: np.ndarray) -> np.ndarray:
    """Return (suspect) number of the run of the good packet received before it, or of the first."""
    return run[np.maximum(np.searchsorted(rows, suspects) - 1, 0)]


def _claim(
    rows: np.ndarray, order: np.ndarray, suspects: np.ndarray, count: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Tell which bad pieces stand for packets not received well: the count is in a gap or just past an end.

    rows, order  (good packet)  row and unwrapped count;  suspects, count  (bad piece)  row and count as read;
    reach  (bad piece)  counts past an end where it is believed: what fails its check may tell any count, and
    would open a gap of packets that were never sent
    """
    before = np.maximum(np.searchsorted(rows, suspects) - 1, 0)
    guess = order[before] + _short_way(count - order[before])
    taken = set(order.tolist())
    low, high = int(order.min()), int(order.max())
    claimed = np.zeros(suspects.size, bool)
    for i in np.argsort(np.abs(2 * guess - low - high), kind="stable").tolist():  # outward
        value = int(guess[i])
        if low - reach[i] <= value <= high + reach[i] and value not in taken:
            claimed[i] = True
            taken.add(value)
            low, high = min(low, value), max(high, value)
    return claimed, guess[claimed]
