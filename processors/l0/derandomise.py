"""Remove the pseudo-random sequence from codeblocks."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def sequence(length: int) -> np.ndarray:
    """Generate bytes of h(x) = x8 + x7 + x5 + x3 + 1 from a register of ones (CCSDS 131.0-B)."""
    bits = np.ones(8 * length + 8, np.uint8)
    for i in range(8, 8 * length):
        bits[i] = bits[i - 8] ^ bits[i - 5] ^ bits[i - 3] ^ bits[i - 1]
    made = np.packbits(bits[: 8 * length])
    made.setflags(write=False)  # shared by all callers
    return made


def derandomise(codeblocks: np.ndarray) -> np.ndarray:
    """Apply the sequence in place.

    codeblocks  (frame, byte)  uint8, without the sync marker
    """
    codeblocks ^= sequence(codeblocks.shape[1])
    return codeblocks
