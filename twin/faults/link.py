"""Damage the CADUs of a virtual channel on their way down; every function says which frames it hit.

cadus  (frame, octet)  uint8, as sent  ->  uint8 stream of any shape, as received
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from twin.faults.hits import Hits
from twin.telemetry.frames import CADU_BYTES, SYNC_MARKER
from twin.telemetry.reedsolomon import CHECK, INTERLEAVE, N

CORRECTABLE = CHECK // 2  # octets of a codeword
SCIENCE_VC = 1
BURST_BITS = 400  # 50 octets, ten of each of the five interleaved codewords
MARKER_OCTETS = SYNC_MARKER.size


def spread_errors(cadus: np.ndarray, rng: np.random.Generator, each: int) -> np.ndarray:
    """Invert bits in `each` octets of every codeword of every frame (codeword c: octets c, c + 5, ...)."""
    damaged = cadus.copy()
    for frame in damaged:
        for codeword in range(INTERLEAVE):
            _invert(frame, _octets_of(codeword, rng, each), rng)
    return damaged


def correctable_errors(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Damage as much as the code corrects: 16 octets of every codeword of every frame."""
    return spread_errors(cadus, rng, CORRECTABLE)


def uncorrectable_errors(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Damage one octet more than the code corrects, in one codeword of every tenth science frame."""
    if vcid != SCIENCE_VC:
        return cadus
    damaged = cadus.copy()
    for number in range(len(cadus) // 4, len(cadus), 10):
        _invert(damaged[number], _octets_of(int(rng.integers(INTERLEAVE)), rng, CORRECTABLE + 1), rng)
        hits.frame(vcid, number, "damaged beyond correction")
    return damaged


def burst(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Invert a run of bits in every frame, which interleaving spreads over the codewords."""
    damaged = cadus.copy()
    for frame in damaged:
        first = int(rng.integers(8 * MARKER_OCTETS, 8 * CADU_BYTES - BURST_BITS))
        bits = np.unpackbits(frame)
        bits[first : first + BURST_BITS] ^= 1
        frame[:] = np.packbits(bits)
    return damaged


def long_burst(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Replace three science frames in a row, their markers too, by noise."""
    if vcid != SCIENCE_VC:
        return cadus
    damaged, first = cadus.copy(), len(cadus) // 2
    damaged[first : first + 3] = rng.integers(0, 256, damaged[first : first + 3].shape)
    _hit(hits, vcid, range(first, first + 3), "damaged beyond correction")
    return damaged


def damaged_markers(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Invert the sync marker of every fifth frame, of no two in a row."""
    damaged = cadus.copy()
    damaged[2::5, :MARKER_OCTETS] ^= 0xFF
    return damaged


def frame_slip(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Lose 7 octets within one science frame, and receive 5 too many within another."""
    if vcid != SCIENCE_VC:
        return cadus
    lost, added = len(cadus) // 3, 2 * len(cadus) // 3
    _hit(hits, vcid, (lost, added), "octets lost or added")
    stream = cadus.reshape(-1)
    cut, put = (number * CADU_BYTES + CADU_BYTES // 2 for number in (lost, added))
    parts = (stream[:cut], stream[cut + 7 : put], rng.integers(0, 256, 5).astype(np.uint8), stream[put:])
    return np.concatenate(parts)


def cut_short(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Lose signal at 70 % of the pass, in the middle of a frame."""
    last = 7 * len(cadus) // 10
    _hit(hits, vcid, range(last, len(cadus)), "after the loss of signal")
    return cadus.reshape(-1)[: last * CADU_BYTES + CADU_BYTES // 2]


def lost_frames(cadus: np.ndarray, vcid: int, hits: Hits, rng: np.random.Generator) -> np.ndarray:
    """Receive nothing of two science frames."""
    if vcid != SCIENCE_VC:
        return cadus
    lost = [len(cadus) // 3, len(cadus) // 3 + 1]
    _hit(hits, vcid, lost, "lost on the link")
    return np.delete(cadus, lost, axis=0)


def _hit(hits: Hits, vcid: int, numbers: Iterable[int], what: str) -> None:
    for number in numbers:
        hits.frame(vcid, number, what)


def _octets_of(codeword: int, rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw different octets of a CADU that belong to one of its interleaved codewords."""
    return MARKER_OCTETS + codeword + INTERLEAVE * rng.choice(N, count, replace=False)


def _invert(frame: np.ndarray, octets: np.ndarray, rng: np.random.Generator) -> None:
    frame[octets] ^= rng.integers(1, 256, octets.size).astype(np.uint8)
