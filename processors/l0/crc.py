"""Compute the 16-bit cyclic redundancy check of frames and packets, x16 + x12 + x5 + 1 (CCSDS 132.0-B)."""

from __future__ import annotations

import numpy as np
from numba import njit

POLYNOMIAL = 0x1021
PRESET = 0xFFFF
CRC_BYTES = 2


def _table() -> np.ndarray:
    """Return the remainder of every leading byte."""
    remainder = np.arange(256, dtype=np.int64) << 8
    for _ in range(8):
        carry = remainder & 0x8000 != 0
        remainder = (remainder << 1) & 0xFFFF
        remainder[carry] ^= POLYNOMIAL
    return remainder.astype(np.uint16)


TABLE = _table()


def intact(data: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return True for the pieces whose last two bytes are the check of what stands before them.

    data  (byte)  uint8;  start, length  (piece)  int64
    """
    good = np.zeros(start.size, np.bool_)
    if start.size:
        _intact(data, start, length, TABLE, good)
    return good


@njit(cache=True)
def _intact(data, start, length, table, good):
    for piece in range(start.size):
        remainder = np.uint16(PRESET)
        for i in range(start[piece], start[piece] + length[piece]):
            remainder = np.uint16(remainder << 8) ^ table[(remainder >> 8) ^ data[i]]
        good[piece] = remainder == 0 and length[piece] > CRC_BYTES
