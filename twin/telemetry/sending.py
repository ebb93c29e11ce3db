"""Turn what was exposed into the files that stations deliver, with a fault on the way or without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from twin import random, timecodes
from twin.constants import FRAME_US
from twin.faults.catalogue import Fault
from twin.faults.hits import Hits
from twin.telemetry import frames, packets
from twin.telemetry.channel import Channel

NOTHING = Fault("", "", "")
OVERLAP = ((0.0, 0.6), (0.4, 1.0))  # share of the frames that each of two stations receives
SECOND_STATION = "Inuvik"
CLOCK_GUARD_US = 2 * FRAME_US  # us, before a clock fails: soundings that lean on a later attitude packet
ATTITUDE_GUARD_US = 2_000_000  # us: soundings whose place leans on an attitude packet


@dataclass(frozen=True)
class Contact:
    """The pass that delivers a run."""

    station: str
    aos_us: int
    los_us: int


@dataclass(frozen=True)
class Observed:
    """What is on board when the pass begins."""

    exposed: xr.Dataset  # sounding_id, dn, saturated_rows
    geometry: xr.Dataset  # sounding_id, time_gps_us, operation_mode
    ephemeris: xr.Dataset
    housekeeping: packets.Housekeeping

    @property
    def middle_us(self) -> int:
        """Time of the frame nearest the middle that follows upon another, GPS us: where clocks fail."""
        times = np.unique(self.geometry["time_gps_us"].to_numpy())
        middle = times.size // 2
        follows = 1 + np.flatnonzero(np.diff(times) == FRAME_US)
        return int(times[min(follows, key=lambda place: abs(place - middle), default=middle)])


def send(
    observed: Observed, contact: Contact, folder: Path, seed: int, fault: Fault = NOTHING
) -> tuple[pd.DataFrame, set[int], int]:
    """Write the passes under `folder`.

    Return the table of packets sent, with the frames that carry each and what the fault did to it; the
    soundings the fault touched; and the number of passes.
    """
    hits = Hits()
    exposed = fault.content(observed.exposed, hits) if fault.content else observed.exposed
    clock = _clock(fault, observed, hits)
    start = fault.first_sequence_count
    built, sent = packets.build(
        exposed,
        observed.geometry,
        observed.ephemeris,
        observed.housekeeping,
        first_sequence_count=dict.fromkeys(packets.LAYOUT, start),
        clock=clock,
    )
    channels = _numbered(built)
    if fault.packets:
        channels = fault.packets(channels, hits, random.stream(seed, f"fault {fault.name}"))
    passes = _write(channels, contact, folder, fault, seed, clock, hits)
    sent = _told(sent, channels, hits)
    return sent, hits.soundings | _touched(sent, observed), passes


def send_passes(
    parts: Mapping[int, tuple[Observed, Contact]], folder: Path, clock: packets.Clock
) -> pd.DataFrame:
    """Write the passes of a mission by their numbers, counts going on from one to the next.

    Return the table of packets sent.
    """
    counts, counters = dict.fromkeys(packets.LAYOUT, 0), dict.fromkeys(packets.VIRTUAL_CHANNEL.values(), 0)
    tables = []
    for number, (observed, contact) in parts.items():
        built, sent = packets.build(
            observed.exposed,
            observed.geometry,
            observed.ephemeris,
            observed.housekeeping,
            pass_number=number,
            first_sequence_count=counts,
            clock=clock,
        )
        frames.write_pass(
            folder,
            built,
            station=contact.station,
            pass_number=number,
            acquisition_of_signal_utc=timecodes.utc_iso(contact.aos_us),
            loss_of_signal_utc=timecodes.utc_iso(contact.los_us),
            first_count=counters,
            on_board_utc=timecodes.utc_iso(int(clock(np.array(contact.aos_us)))),
        )
        told = _told(sent, _numbered(built), Hits())
        counts = {apid: start + int((sent["apid"] == apid).sum()) for apid, start in counts.items()}
        counters = {
            vcid: start + int(told.loc[told["vc"] == vcid, "last_frame"].max() + 1)
            for vcid, start in counters.items()
        }
        tables.append(told)
    return pd.concat(tables, ignore_index=True)


def _clock(fault: Fault, observed: Observed, hits: Hits) -> packets.Clock:
    if fault.clock is None:
        return np.asarray
    fails, middle_us = fault.clock, observed.middle_us
    late = observed.geometry["time_gps_us"].to_numpy() >= middle_us - CLOCK_GUARD_US
    hits.sounding(observed.geometry["sounding_id"].to_numpy()[late])
    return lambda times_us: fails(times_us, middle_us)


def _numbered(built: dict[int, list[bytes]]) -> dict[int, list[tuple[int, bytes]]]:
    """Give each packet its row in the table of packets sent, which lists channel after channel."""
    numbered, first = {}, 0
    for vcid, members in built.items():
        numbered[vcid] = list(enumerate(members, first))
        first += len(members)
    return numbered


def _write(
    channels: dict[int, list[tuple[int, bytes]]],
    contact: Contact,
    folder: Path,
    fault: Fault,
    seed: int,
    clock: packets.Clock,
    hits: Hits,
) -> int:
    """Write a folder of streams and manifests, as many passes as the fault makes of it."""
    ways = [_part(*share) for share in OVERLAP] if fault.overlap else [_way(fault, seed, hits)]
    for number, way in enumerate(ways, 1):
        frames.write_pass(
            folder,
            {vcid: [octets for _, octets in entries] for vcid, entries in channels.items()},
            station=contact.station if number == 1 else SECOND_STATION,
            pass_number=number,
            acquisition_of_signal_utc=timecodes.utc_iso(contact.aos_us),
            loss_of_signal_utc=timecodes.utc_iso(contact.los_us),
            channel=way,
            first_count=dict.fromkeys(channels, fault.first_frame_count),
            on_board_utc=timecodes.utc_iso(int(clock(np.array(contact.aos_us)))),
        )
    return len(ways)


def _way(fault: Fault, seed: int, hits: Hits) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return what happens on the link."""
    if fault.link is None:
        return Channel(seed, 1)
    damage = fault.link
    return lambda cadus, vcid: damage(cadus, vcid, hits, random.stream(seed, f"fault {fault.name}", vcid))


def _part(first: float, last: float) -> Callable[[np.ndarray, int], np.ndarray]:
    return lambda cadus, vcid: cadus[int(first * len(cadus)) : int(np.ceil(last * len(cadus)))]


def _told(sent: pd.DataFrame, channels: dict[int, list[tuple[int, bytes]]], hits: Hits) -> pd.DataFrame:
    """Add the frames of each packet, -1 where it was never transmitted, and what the fault did to it."""
    sent = sent.copy()
    for row, octets in hits.renumbered.items():
        sent.loc[row, "sequence_count"] = int.from_bytes(octets[2:4], "big") % packets.SEQUENCE_MODULO
        sent.loc[row, "header"] = octets[: packets.KEY_BYTES].hex()
    spans = np.full((len(sent), 2), -1, np.int64)
    hit = np.array([hits.packets.get(row, "") for row in range(len(sent))], dtype=object)
    for vcid, entries in channels.items():
        rows = np.array([row for row, _ in entries], np.int64)
        carried = frames.spans([octets for _, octets in entries])
        spans[rows] = carried
        for (channel, number), what in hits.frames.items():
            if channel == vcid:
                within = (carried[:, 0] <= number) & (number <= carried[:, 1])
                hit[rows[within]] = f"frame {number}: {what}"
    return sent.assign(first_frame=spans[:, 0], last_frame=spans[:, 1], hit=hit)


def _touched(sent: pd.DataFrame, observed: Observed) -> set[int]:
    """Return the soundings that lean on packets the fault hit: their own, or attitude near in time."""
    hit = sent[sent["hit"] != ""]
    science = hit[hit["apid"] == packets.SCIENCE]
    boot = observed.exposed["sounding_id"].to_numpy()[:1] // 10**11
    found = {
        int(boot[0] * 10**11 + frame * 10 + fov)
        for frame, fov in zip(science["frame_counter"], science["fov"], strict=True)
    }
    attitude = sent[sent["apid"] == packets.ATTITUDE]
    lost = np.flatnonzero(attitude["hit"].to_numpy() != "")
    times_us = np.sort(observed.ephemeris["time_gps_us"].to_numpy())[lost]
    seen_us = observed.geometry["time_gps_us"].to_numpy()
    near = (np.abs(seen_us[:, None] - times_us) <= ATTITUDE_GUARD_US).any(axis=1)
    return found | set(observed.geometry["sounding_id"].to_numpy()[near].tolist())
