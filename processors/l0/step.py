"""Turn the CADU files of a station pass into its packets and an account of them (L0)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from processors import products
from processors.job import Job, ProcessorError
from processors.l0 import accounting, derandomise, frames, packets, reedsolomon, stream, sync


@dataclass
class Reception:
    """A pass on its way from bytes to packets; a list has one entry a file unless said."""

    streams: list[np.ndarray]
    codeblocks: list[np.ndarray] = field(default_factory=list)
    symbols: list[np.ndarray] = field(default_factory=list)
    bytes_skipped: int = 0
    markers_damaged: int = 0
    channels: list[frames.Channel] = field(default_factory=list)  # one a file and virtual channel
    census: list[frames.Census] = field(default_factory=list)
    pieces: list[packets.Pieces] = field(default_factory=list)  # one a channel
    table: accounting.Table | None = None
    account: accounting.Account | None = None


def synchronise(rx: Reception) -> None:
    for data in rx.streams:
        offsets = sync.cadu_offsets(data)
        covered = np.minimum(np.diff(offsets, append=data.size), sync.CADU_BYTES).sum() if offsets.size else 0
        rx.bytes_skipped += data.size - int(covered)
        codeblocks = np.zeros((0, sync.CODEBLOCK_BYTES), np.uint8)
        if offsets.size:
            units = sliding_window_view(data, sync.CADU_BYTES)
            marker = np.frombuffer(sync.MARKER.to_bytes(sync.MARKER_BYTES, "big"), np.uint8)
            rx.markers_damaged += int((units[offsets, : sync.MARKER_BYTES] != marker).any(axis=1).sum())
            codeblocks = np.ascontiguousarray(units[offsets, sync.MARKER_BYTES :])
        rx.codeblocks.append(codeblocks)


def remove_pseudo_noise(rx: Reception) -> None:
    for codeblocks in rx.codeblocks:
        derandomise.derandomise(codeblocks)


def correct_symbols(rx: Reception) -> None:
    rx.symbols = [reedsolomon.decode(codeblocks) for codeblocks in rx.codeblocks]


def check_frames(rx: Reception) -> None:
    for codeblocks, symbols in zip(rx.codeblocks, rx.symbols, strict=True):
        transfer = np.ascontiguousarray(codeblocks[:, : reedsolomon.FRAME_BYTES])
        channels, census = frames.channels(transfer, symbols)
        rx.channels += channels
        rx.census.append(census)
    rx.codeblocks = []


def extract_packets(rx: Reception) -> None:
    rx.pieces = [packets.extract(channel) for channel in rx.channels]


def account_packets(rx: Reception) -> None:
    rx.table = accounting.tabulate(rx.pieces)
    rx.account = accounting.account(rx.table)


STEPS: tuple[Callable[[Reception], None], ...] = (
    synchronise,
    remove_pseudo_noise,
    correct_symbols,
    check_frames,
    extract_packets,
    account_packets,
)


def process(streams: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the variables of icd/l0.yaml.

    streams  one (byte) uint8 array a file
    """
    rx = Reception(streams)
    for step in STEPS:
        step(rx)
    return product(rx)


def run(job: Job) -> None:
    files, manifest = job.input_list("stream"), job.input("manifest")
    job.options({})
    variables = process(stream.read(files, manifest))
    variables["clock_offset"] = np.asarray(stream.clock_offset(manifest))
    if not variables["apid"].size:
        raise ProcessorError(
            f"{files[0]}: expected packets, got none in {int(variables['cadus_received'])} CADUs: "
            "check that the stream is a telemetry stream"
        )
    attributes = {"scenario_hash": job.scenario_hash}
    products.write(job.output("l0"), "l0", variables, attributes, [*files, manifest])


def product(rx: Reception) -> dict[str, np.ndarray]:
    assert rx.table is not None
    assert rx.account is not None
    return {
        **_packets(rx.pieces, rx.table, rx.account),
        **_accounts(rx.table, rx.account),
        **_gaps(rx.channels, rx.account),
        **_quarantine(rx.pieces, rx.table, rx.account),
        **{name: np.asarray(value) for name, value in _counters(rx, rx.table, rx.account).items()},
    }


def _packets(
    pieces: list[packets.Pieces], table: accounting.Table, account: accounting.Account
) -> dict[str, np.ndarray]:
    rows = account.kept
    days, ms, us = table.key[rows, 3], table.key[rows, 4], table.key[rows, 5]
    return {
        "apid": table.apid[rows],
        "sequence_count": table.sequence_count[rows],
        "virtual_channel": table.vcid[rows],
        "time": packets.utc_seconds(days, ms, us),
        "quality_flag": table.corrected[rows] + 2 * account.repeated,
        "packet_offset": np.cumsum(table.length[rows]) - table.length[rows],
        "packet_length": table.length[rows],
        "packet_data": _bytes(pieces, table, rows),
    }


def _bytes(pieces: list[packets.Pieces], table: accounting.Table, rows: np.ndarray) -> np.ndarray:
    """Copy the pieces end to end."""
    slices = zip(table.source[rows], table.start[rows], table.length[rows], strict=True)
    return np.concatenate([np.zeros(0, np.uint8), *(pieces[i].data[at : at + n] for i, at, n in slices)])


def _accounts(table: accounting.Table, account: accounting.Account) -> dict[str, np.ndarray]:
    apid = np.array(list(packets.PACKET_BYTES))
    corrected = table.corrected[account.kept]
    counted = account.bad[account.attributed]

    def count(rows: np.ndarray) -> np.ndarray:
        return np.array([(table.apid[rows] == number).sum() for number in apid])

    return {
        "account_apid": apid,
        "account_accepted": count(account.kept[~corrected]),
        "account_corrected": count(account.kept[corrected]),
        "account_quarantined": count(counted),
        "account_missing": np.array([account.missing[number] for number in apid.tolist()]),
    }


def _gaps(channels: list[frames.Channel], account: accounting.Account) -> dict[str, np.ndarray]:
    rows = [np.zeros((0, 3), np.int64)]
    for channel in channels:
        at = np.flatnonzero(channel.missing)
        first = (channel.counter[at] - channel.missing[at]) % frames.COUNTER
        rows.append(np.stack([np.full(at.size, channel.vcid), first, channel.missing[at]], axis=1))
    vcid, first, missing = np.concatenate(rows).T
    return {
        "gap_apid": account.gaps[:, 0],
        "gap_first_sequence_count": account.gaps[:, 1],
        "gap_packets": account.gaps[:, 2],
        "frame_gap_virtual_channel": vcid,
        "frame_gap_first_count": first,
        "frame_gap_frames": missing,
    }


def _quarantine(
    pieces: list[packets.Pieces], table: accounting.Table, account: accounting.Account
) -> dict[str, np.ndarray]:
    rows = account.bad
    return {
        "quarantine_apid": table.apid[rows],
        "quarantine_sequence_count": table.sequence_count[rows],
        "quarantine_reason": table.reason[rows],
        "quarantine_counted": account.attributed,
        "quarantine_offset": np.cumsum(table.length[rows]) - table.length[rows],
        "quarantine_length": table.length[rows],
        "quarantine_data": _bytes(pieces, table, rows),
    }


def _counters(rx: Reception, table: accounting.Table, account: accounting.Account) -> dict[str, int]:
    corrected = int(table.corrected[account.kept].sum())
    return {
        "cadus_received": sum(census.received for census in rx.census),
        "cadus_corrected": sum(census.corrected for census in rx.census),
        "cadus_uncorrectable": sum(census.uncorrectable for census in rx.census),
        "frames_rejected": sum(census.rejected for census in rx.census),
        "frames_duplicate": sum(census.duplicate for census in rx.census),
        "frames_missing": sum(int(channel.missing.sum()) for channel in rx.channels),
        "symbols_corrected": sum(int(np.maximum(symbols, 0).sum()) for symbols in rx.symbols),
        "bytes_skipped": rx.bytes_skipped,
        "markers_damaged": rx.markers_damaged,
        "packets_accepted": account.kept.size - corrected,
        "packets_corrected": corrected,
        "packets_quarantined": int(account.attributed.sum()),
        "packets_duplicate": account.duplicates,
        "packets_missing": sum(account.missing.values()),
        "packets_idle": sum(int((piece.reason == packets.IDLE).sum()) for piece in rx.pieces),
        "remains": int((~account.attributed).sum()),
    }
