"""Compute the 16-bit cyclic redundancy check of frames and packets, x16 + x12 + x5 + 1 (CCSDS 132.0-B)."""

from __future__ import annotations

import numpy as np
from numba import njit

POLYNOMIAL = 0x1021
PRESET = 0xFFFF
CRC_BYTES = 2
STRIDE = 8  # bytes looked up at once


def _tables() -> np.ndarray:
    """Return the remainder of every byte that 0 to STRIDE - 1 bytes of 0 follow (STRIDE, 256)."""
    remainder = np.arange(256, dtype=np.int64) << 8
    rows = []
    for _ in range(STRIDE):
        for _ in range(8):
            carry = remainder & 0x8000 != 0
            remainder = (remainder << 1) & 0xFFFF
            remainder[carry] ^= POLYNOMIAL
        rows.append(remainder.astype(np.uint16))
    return np.array(rows)


TABLES = _tables()


def intact(data: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return True for the pieces whose last two bytes are the check of what stands before them.

    data  (byte)  uint8;  start, length  (piece)  int64
    """
    good = np.zeros(start.size, np.bool_)
    if start.size:
        _intact(data, start, length, TABLES, good)
    return good


@njit(cache=True)
def _intact(data, start, length, tables, good):
    t0, t1, t2, t3 = tables[0], tables[1], tables[2], tables[3]
    t4, t5, t6, t7 = tables[4], tables[5], tables[6], tables[7]
    for piece in range(start.size):
        remainder = np.uint16(PRESET)
        at, end = start[piece], start[piece] + length[piece]
        while at + STRIDE <= end:
            first = t7[(remainder >> 8) ^ data[at]] ^ t6[(remainder & 0xFF) ^ data[at + 1]]
            middle = t5[data[at + 2]] ^ t4[data[at + 3]] ^ t3[data[at + 4]] ^ t2[data[at + 5]]
            remainder = first ^ middle ^ t1[data[at + 6]] ^ t0[data[at + 7]]
            at += STRIDE
        for i in range(at, end):
            remainder = np.uint16(remainder << 8) ^ t0[(remainder >> 8) ^ data[i]]
        good[piece] = remainder == 0 and length[piece] > CRC_BYTES
