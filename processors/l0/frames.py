"""Check transfer frames and put those of a virtual channel in line (CCSDS 132.0-B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.l0.crc import CRC_BYTES, intact
from processors.l0.reedsolomon import FRAME_BYTES, UNCORRECTABLE

SPACECRAFT_ID = 0x2C5  # [A]
HEADER_BYTES = 6
DATA_BYTES = FRAME_BYTES - HEADER_BYTES - CRC_BYTES
NO_PACKET_START = 0x7FF
IDLE_ONLY = 0x7FE
COUNTER = 256  # the frame counters have 8 bits


@dataclass(frozen=True)
class Channel:
    """The good frames of one virtual channel in the order received, frames received twice taken once."""

    vcid: int
    data: np.ndarray  # (frame, DATA_BYTES) uint8
    pointer: np.ndarray  # (frame) int64, first header pointer
    broken: np.ndarray  # (frame) bool, frames are missing before this one
    corrected: np.ndarray  # (frame) bool, by Reed-Solomon
    missing: np.ndarray  # (frame) int64, frames missing before this one, modulo 256
    counter: np.ndarray  # (frame) int64, virtual channel frame count


@dataclass(frozen=True)
class Census:
    """What became of the CADUs of one file; received = clean + corrected + rejected."""

    received: int
    corrected: int  # frames with symbols corrected that then passed their check
    uncorrectable: int  # frames with a codeword beyond the limit
    rejected: int  # frames that failed the frame check or are none of this spacecraft's
    duplicate: int


def channels(frames: np.ndarray, symbols: np.ndarray) -> tuple[list[Channel], Census]:
    """Sort frames into virtual channels.

    frames  (frame, FRAME_BYTES)  uint8;  symbols  (frame, 5)  corrected per codeword or UNCORRECTABLE
    """
    good = frame_check(frames) & header_check(frames)
    uncorrectable = (symbols == UNCORRECTABLE).any(axis=1)
    corrected = (symbols != 0).any(axis=1)
    vcid = (frames[:, 1] >> 1) & 0x07
    found, duplicate = [], 0
    for number in np.unique(vcid[good]):
        mine = np.flatnonzero(good & (vcid == number))
        channel = _channel(int(number), frames[mine], corrected[mine])
        duplicate += mine.size - channel.counter.size
        found.append(channel)
    census = Census(
        received=frames.shape[0],
        corrected=int((corrected & good).sum()),
        uncorrectable=int(uncorrectable.sum()),
        rejected=int((~good).sum()),
        duplicate=duplicate,
    )
    return found, census


def frame_check(frames: np.ndarray) -> np.ndarray:
    """Return (frame) bool: the frame error control field fits."""
    start = np.arange(frames.shape[0], dtype=np.int64) * FRAME_BYTES
    return intact(frames.reshape(-1), start, np.full(start.size, FRAME_BYTES, np.int64))


def header_check(frames: np.ndarray) -> np.ndarray:
    """Return (frame) bool: version 0, this spacecraft, no control field, packets in forward order."""
    head = _uint16(frames, 0)
    status = _uint16(frames, 4)
    identified = (head >> 14 == 0) & ((head >> 4) & 0x3FF == SPACECRAFT_ID) & (head & 1 == 0)
    pointer = status & 0x7FF
    return identified & (status >> 11 == 0b00011) & ((pointer < DATA_BYTES) | (pointer >= IDLE_ONLY))


def _channel(vcid: int, frames: np.ndarray, corrected: np.ndarray) -> Channel:
    counter = frames[:, 3].astype(np.int64)
    repeated = np.zeros(counter.size, bool)
    repeated[1:] = (counter[1:] == counter[:-1]) & (frames[1:] == frames[:-1]).all(axis=1)
    once = ~repeated
    counter = counter[once]
    step = np.diff(counter) % COUNTER if counter.size else counter
    missing = np.concatenate([[0], (step - 1) % COUNTER])[: counter.size].astype(np.int64)
    return Channel(
        vcid=vcid,
        data=np.ascontiguousarray(frames[once, HEADER_BYTES:-CRC_BYTES]),
        pointer=_uint16(frames[once], 4) & 0x7FF,
        broken=missing > 0,
        corrected=corrected[once],
        missing=missing,
        counter=counter,
    )


def _uint16(rows: np.ndarray, column: int) -> np.ndarray:
    """Read a big-endian 16-bit field of every row."""
    return (rows[:, column].astype(np.int64) << 8) | rows[:, column + 1]
