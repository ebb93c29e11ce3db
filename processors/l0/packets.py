"""Cut space packets out of the frames of a virtual channel (CCSDS 132.0-B, 133.0-B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from processors.l0.crc import intact
from processors.l0.frames import NO_PACKET_START, Channel

HEADER_BYTES = 6
IDLE_APID = 2047
SECONDARY_BYTES = 8  # time code: days, milliseconds of day, microseconds of millisecond
# length (bytes) of every packet the spacecraft sends, by application process identifier (APID)
SCIENCE, HOUSEKEEPING, ATTITUDE = 256, 257, 258
PACKET_BYTES = {SCIENCE: 2590, HOUSEKEEPING: 32, ATTITUDE: 100}
EPOCH_OFFSET_S = 4383 * 86_400  # 1958-01-01 to 1970-01-01

WHOLE, IDLE = 0, -1
# reasons to quarantine
BAD_CHECK, POINTER_CONTRADICTS, INTERRUPTED, BAD_HEADER, UNKNOWN_APID = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Pieces:
    """Packets and remains of packets of one virtual channel, in order."""

    vcid: int
    data: np.ndarray  # (byte) uint8, frame data fields end to end
    start: np.ndarray  # (piece) int64
    length: np.ndarray  # (piece) int64
    reason: np.ndarray  # (piece) int8: WHOLE, IDLE or a reason to quarantine
    corrected: np.ndarray  # (piece) bool: touches a frame corrected by Reed-Solomon

    def column(self, offset: int, width: int) -> np.ndarray:
        """Read a big-endian unsigned field of every piece; 0 where the piece ends before it."""
        value = np.zeros(self.start.size, np.int64)
        inside = self.length >= offset + width
        for i in range(width):
            value[inside] = (value[inside] << 8) | self.data[self.start[inside] + offset + i]
        return value

    @property
    def apid(self) -> np.ndarray:
        """(piece) int64, -1 where the piece is too short to tell."""
        return np.where(self.length >= HEADER_BYTES, self.column(0, 2) & 0x7FF, -1)

    @property
    def sequence_count(self) -> np.ndarray:
        return self.column(2, 2) & 0x3FFF


def extract(channel: Channel) -> Pieces:
    """Follow the packets through the frames; after a contradiction start afresh at the next pointer."""
    known = np.zeros(2048, np.int64)
    known[list(PACKET_BYTES)] = list(PACKET_BYTES.values())
    data = channel.data.reshape(-1)
    capacity = data.size // (HEADER_BYTES + 1) + 2 * channel.pointer.size + 2
    start, length = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    reason = np.empty(capacity, np.int8)
    count = _walk(data, channel.data.shape[1], channel.pointer, channel.broken, known, start, length, reason)
    start, length, reason = start[:count].copy(), length[:count].copy(), reason[:count].copy()
    touched = np.concatenate([[0], np.cumsum(channel.corrected)])
    width = channel.data.shape[1]
    corrected = touched[(start + length - 1) // width + 1] > touched[start // width]
    return judge(Pieces(channel.vcid, data, start, length, reason, corrected))


def judge(pieces: Pieces) -> Pieces:
    """Set the reason of whole packets that are idle, unknown or fail their check."""
    reason = pieces.reason
    whole = reason == WHOLE
    apid = pieces.apid
    reason[whole & (apid == IDLE_APID)] = IDLE
    reason[whole & (apid != IDLE_APID) & ~np.isin(apid, list(PACKET_BYTES))] = UNKNOWN_APID
    checked = np.flatnonzero(reason == WHOLE)
    bad = ~intact(pieces.data, pieces.start[checked], pieces.length[checked])
    reason[checked[bad]] = BAD_CHECK
    return pieces


def utc_seconds(days: np.ndarray, ms: np.ndarray, us: np.ndarray) -> np.ndarray:
    """Return seconds since 1970-01-01T00:00:00Z of a time code: days since 1958, ms of day, us of ms."""
    return (days * 86_400 - EPOCH_OFFSET_S) + (ms * 1000 + us) * 1e-6


@njit(cache=True)
def _stop(data, at, known):
    """End of the packet that starts at `at`: the length known for its APID, or the one its header tells."""
    apid = ((data[at] << 8) | data[at + 1]) & 0x7FF
    length = known[apid]
    if length == 0:
        length = HEADER_BYTES + 1 + ((data[at + 4] << 8) | data[at + 5])
    return at + length


@njit(cache=True)
def _walk(data, width, pointer, broken, known, start, length, reason):
    """Fill start, length, reason; return their number. `at`: the packet in progress, -1 while out of step."""
    count = 0
    at = -1
    for frame in range(pointer.size):
        base, end = frame * width, (frame + 1) * width
        first = base + pointer[frame] if pointer[frame] < width else -1
        if at >= 0:
            expected = at if at >= base else _stop(data, at, known)
            agrees = expected == first if expected < end else pointer[frame] == NO_PACKET_START
            if broken[frame] or not agrees:
                until = base if broken[frame] or first < 0 else first
                if until > at:
                    start[count], length[count] = at, until - at
                    reason[count] = INTERRUPTED if broken[frame] else POINTER_CONTRADICTS
                    count += 1
                at = first
        else:
            at = first
        while at >= 0 and at + HEADER_BYTES <= end:
            stop = _stop(data, at, known)
            if data[at] >> 5:
                start[count], length[count], reason[count] = at, end - at, BAD_HEADER
                at = -1
            elif stop > end:
                break
            else:
                start[count], length[count], reason[count] = at, stop - at, WHOLE
                at = stop
            count += 1
    if at >= 0 and at < data.size:
        start[count], length[count], reason[count] = at, data.size - at, INTERRUPTED
        count += 1
    return count
