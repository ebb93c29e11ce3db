"""Lose, repeat, swap or garble space packets between packing and framing.

channels  virtual channel -> packets in the order sent, each with its row in the table of packets sent
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twin.faults.hits import Hits
from twin.telemetry.packets import ATTITUDE, crc16

Channels = dict[int, list[tuple[int, bytes]]]
SCIENCE_VC, ATTITUDE_VC = 1, 2
APID_MASK = 0x7FF
LENGTH_AT, APID_AT, MODE_AT = 4, 0, 22  # octets from the start of a packet
TIME_CODE = slice(6, 14)  # big-endian: its octets sort as times do
STRANGER = 1234  # APID of no application on board
NOT_SENT, GARBLED, OTHER_CONTENT = (
    "never transmitted",
    "altered before framing",
    "wrong content, sound packet",
)


def lost_packets(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Drop three science packets and one of attitude."""
    science = _draw(channels[SCIENCE_VC], rng, 3)
    attitude = _draw_of(channels[ATTITUDE_VC], ATTITUDE, rng)
    return _without(_without(channels, SCIENCE_VC, science, hits), ATTITUDE_VC, [attitude], hits)


def repeated_packets(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Send five science packets twice."""
    twice = set(_draw(channels[SCIENCE_VC], rng, 5))
    doubled = [entry for n, entry in enumerate(channels[SCIENCE_VC]) for _ in range(1 + (n in twice))]
    return channels | {SCIENCE_VC: doubled}


def swapped_packets(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Send five pairs of neighbours in the other order."""
    order = list(channels[SCIENCE_VC])
    for first in sorted(2 * n for n in rng.choice((len(order) - 1) // 2, 5, replace=False).tolist()):
        order[first], order[first + 1] = order[first + 1], order[first]
    return channels | {SCIENCE_VC: order}


def length_flip(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Invert one bit of the length field of a science packet."""
    return _garble(channels, hits, rng, lambda octets: _flip(octets, LENGTH_AT, 3))


def apid_flip(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Give a science packet the APID of no application, its check left as it was."""

    def rename(octets: np.ndarray) -> None:
        word = (int(octets[0]) << 8 | int(octets[1])) & ~APID_MASK | STRANGER
        octets[0], octets[1] = word >> 8, word & 0xFF

    return _garble(channels, hits, rng, rename)


def lost_band(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Drop one band of a frame: its three packets of the group of twelve."""
    entries = channels[SCIENCE_VC]
    inner = 1 + int(rng.integers(2))  # no band that a pass begins or ends with: its loss shows in no gap
    first = 12 * int(rng.integers(len(entries) // 12)) + inner
    return _without(channels, SCIENCE_VC, [first, first + 4, first + 8], hits)


def reset_counts(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Start the sequence counts of science again at 0 in the middle, without a reboot."""
    entries = channels[SCIENCE_VC]
    middle = len(entries) // 2
    again = [(row, _with_count(octets, n)) for n, (row, octets) in enumerate(entries[middle:])]
    hits.renumbered.update(again)
    return channels | {SCIENCE_VC: entries[:middle] + again}


def wrong_mode(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Give the science packets of one frame another mode word than its housekeeping has."""
    entries = list(channels[SCIENCE_VC])
    first = 12 * (len(entries) // 24)
    for place in range(first, first + 12):
        row, packet = entries[place]
        octets = np.frombuffer(packet, np.uint8).copy()
        octets[MODE_AT] ^= 1
        entries[place] = row, _sealed(octets)
        hits.packet(row, OTHER_CONTENT)
    return channels | {SCIENCE_VC: entries}


def missing_attitude(channels: Channels, hits: Hits, rng: np.random.Generator) -> Channels:
    """Drop six seconds of attitude packets around the middle sounding: more than the ground bridges."""
    rows = [n for n, entry in enumerate(channels[ATTITUDE_VC]) if apid(entry[1]) == ATTITUDE]
    moment = channels[SCIENCE_VC][len(channels[SCIENCE_VC]) // 2][1][TIME_CODE]
    first = sum(channels[ATTITUDE_VC][n][1][TIME_CODE] < moment for n in rows) - 3
    return _without(channels, ATTITUDE_VC, rows[first : first + 6], hits)


def apid(octets: bytes) -> int:
    return int.from_bytes(octets[APID_AT : APID_AT + 2], "big") & APID_MASK


def _draw(entries: list[tuple[int, bytes]], rng: np.random.Generator, count: int) -> list[int]:
    """Draw places in a list, not its ends: what is missing there shows in no gap of the counts."""
    places: list[int] = (1 + rng.choice(len(entries) - 2, count, replace=False)).tolist()
    return places


def _draw_of(entries: list[tuple[int, bytes]], kind: int, rng: np.random.Generator) -> int:
    places = [n for n, entry in enumerate(entries) if apid(entry[1]) == kind]
    return places[int(rng.integers(len(places) // 3, 2 * len(places) // 3))]


def _without(channels: Channels, vcid: int, places: list[int], hits: Hits) -> Channels:
    for place in places:
        hits.packet(channels[vcid][place][0], NOT_SENT)
    gone = set(places)
    return channels | {vcid: [entry for n, entry in enumerate(channels[vcid]) if n not in gone]}


def _garble(
    channels: Channels, hits: Hits, rng: np.random.Generator, change: Callable[[np.ndarray], None]
) -> Channels:
    """Change one science packet in the middle of the pass."""
    entries = list(channels[SCIENCE_VC])
    place = int(rng.integers(len(entries) // 3, 2 * len(entries) // 3))
    row, packet = entries[place]
    octets = np.frombuffer(packet, np.uint8).copy()
    change(octets)
    entries[place] = row, octets.tobytes()
    hits.packet(row, GARBLED)
    return channels | {SCIENCE_VC: entries}


def _flip(octets: np.ndarray, at: int, bit: int) -> None:
    octets[at] ^= 1 << bit


def _with_count(packet: bytes, count: int) -> bytes:
    """Write another sequence count."""
    octets = np.frombuffer(packet, np.uint8).copy()
    word = (int(octets[2]) << 8 | int(octets[3])) & 0xC000 | count
    octets[2], octets[3] = word >> 8, word & 0xFF
    return _sealed(octets)


def _sealed(octets: np.ndarray) -> bytes:
    """Write the check that belongs to the packet."""
    octets[-2:] = crc16(octets[None, :-2]).astype(">u2").view(np.uint8)
    return octets.tobytes()
