"""Append the check symbols of the CCSDS Reed-Solomon (255,223) code, dual basis (CCSDS 131.0-B section 4)."""

from __future__ import annotations

import numba as nb
import numpy as np

N, K, CHECK = 255, 223, 32  # symbols of a code word, of its data, of its checks
INTERLEAVE = 5
FIELD = 0x187  # x8 + x7 + x2 + x + 1
FIRST_ROOT, ROOT_STEP = 112, 11  # roots of the generator: alpha**(11 j), j = 112..143

# 131.0-B 4.3.9, [z0..z7] = [u7..u0] T: the dual-basis symbol of each bit of a conventional one, MSB first
T_ALPHA_L = (0x8D, 0xEF, 0xEC, 0x86, 0xFA, 0x99, 0xAF, 0x7B)


def encode(data: np.ndarray) -> np.ndarray:
    """Code blocks of interleaving depth 5, in the dual basis.

    data  (block, 1115) uint8  ->  (block, 1275) uint8, the data unchanged followed by 160 check symbols
    """
    if data.ndim != 2 or data.shape[1] != INTERLEAVE * K:
        raise ValueError(f"expected blocks of {INTERLEAVE * K} octets, got shape {data.shape}")
    blocks = np.empty((data.shape[0], INTERLEAVE * N), np.uint8)
    blocks[:, : INTERLEAVE * K] = data
    _append_checks(blocks, _FEEDBACK)
    return blocks


def to_dual_basis() -> np.ndarray:
    """Dual-basis symbol of each conventional symbol, (256) uint8."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    return np.bitwise_xor.reduce(bits * np.array(T_ALPHA_L, np.uint8), axis=1)


def multiply(a: int, b: int) -> int:
    """Product in GF(256), conventional basis."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= FIELD
        b >>= 1
    return product


def generator_polynomial() -> list[int]:
    """Coefficients of g(x), highest power first, conventional basis."""
    powers = [1]
    for _ in range(N - 1):
        powers.append(multiply(powers[-1], 2))
    g = [1]
    for j in range(FIRST_ROOT, FIRST_ROOT + CHECK):
        root = powers[ROOT_STEP * j % N]
        g = [high ^ multiply(low, root) for high, low in zip([*g, 0], [0, *g], strict=True)]
    return g


def _feedback_table() -> np.ndarray:
    """What a fed-back dual-basis symbol adds to the 32 check symbols, as four 64-bit words: (256, 4) uint64.

    The change of basis is linear: folded into this table, it leaves the shift register in the dual basis.
    """
    dual = to_dual_basis()
    table = np.empty((256, CHECK), np.uint8)
    checks = generator_polynomial()[1:]
    for symbol in range(256):
        table[dual[symbol]] = [dual[multiply(symbol, coefficient)] for coefficient in checks]
    return table.view(">u8").astype(np.uint64)


_FEEDBACK = _feedback_table()


@nb.njit(cache=True)
def _append_checks(blocks: np.ndarray, feedback: np.ndarray) -> None:
    up, down = np.uint64(8), np.uint64(56)
    for block in blocks:
        for lane in range(INTERLEAVE):
            r0 = r1 = r2 = r3 = np.uint64(0)
            for at in range(lane, INTERLEAVE * K, INTERLEAVE):
                added = feedback[np.uint64(block[at]) ^ (r0 >> down)]
                r0 = ((r0 << up) | (r1 >> down)) ^ added[0]
                r1 = ((r1 << up) | (r2 >> down)) ^ added[1]
                r2 = ((r2 << up) | (r3 >> down)) ^ added[2]
                r3 = (r3 << up) ^ added[3]
            at = INTERLEAVE * K + lane
            for word in (r0, r1, r2, r3):
                for shift in range(56, -8, -8):
                    block[at] = (word >> np.uint64(shift)) & np.uint64(0xFF)
                    at += INTERLEAVE
