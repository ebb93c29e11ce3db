"""Find the channel access data units (CADUs) in a byte stream by their sync marker."""

from __future__ import annotations

import numpy as np
from numba import njit

MARKER = 0x1ACFFC1D  # attached sync marker, CCSDS 131.0-B
MARKER_BYTES = 4
CADU_BYTES = 1279  # marker and codeblock
CODEBLOCK_BYTES = CADU_BYTES - MARKER_BYTES
MARKER_ERRORS = 4  # bits that may differ where the marker is expected; where it is searched for: none


def cadu_offsets(stream: np.ndarray) -> np.ndarray:
    """Return the positions (bytes) of all whole CADUs, in order.

    stream  (byte)  uint8

    Once in step the next marker is expected one CADU on. Where it fails there and one CADU later, bytes
    were lost or added: the marker is searched from within the unit just taken, which stays listed for the
    decoder to judge. The last unit of a stream has no marker after it: with a damaged one of its own it is
    still taken where it is expected, unless another is found.
    """
    if stream.size < CADU_BYTES:
        return np.zeros(0, np.int64)
    return _offsets(stream)


@njit(cache=True)
def _offsets(stream):
    found = np.empty(2 * (stream.size // CADU_BYTES) + 2, np.int64)
    count = 0
    at = _search(stream, 0)
    while at >= 0 and at + CADU_BYTES <= stream.size and count < found.size:
        found[count] = at
        count += 1
        expected = at + CADU_BYTES
        in_step = _marker_errors(stream, expected) <= MARKER_ERRORS
        flywheel = _marker_errors(stream, expected + CADU_BYTES) <= MARKER_ERRORS
        if in_step or flywheel:
            at = expected
            continue
        at = _search(stream, at + MARKER_BYTES)
        if at < 0 and expected + CADU_BYTES + MARKER_BYTES > stream.size:
            at = expected
    return found[:count].copy()


@njit(cache=True)
def _search(stream, start):
    """First exact marker from `start` on that another marker or the end of the stream follows, else -1."""
    word = 0
    fallback = -1
    for i in range(start, stream.size):
        word = ((word << 8) | stream[i]) & 0xFFFFFFFF
        at = i - MARKER_BYTES + 1
        if word != MARKER or at < start:
            continue
        if fallback >= 0 and at - fallback >= CADU_BYTES:
            return fallback
        after = at + CADU_BYTES
        if after + MARKER_BYTES > stream.size or _marker_errors(stream, after) <= MARKER_ERRORS:
            return at
        if fallback < 0:
            fallback = at
    return fallback


@njit(cache=True)
def _marker_errors(stream, at):
    """Number of bits that differ from the marker at `at`; 32 beyond the end."""
    if at + MARKER_BYTES > stream.size:
        return 32
    word = 0
    for i in range(at, at + MARKER_BYTES):
        word = (word << 8) | stream[i]
    difference = word ^ MARKER
    errors = 0
    while difference:
        errors += difference & 1
        difference >>= 1
    return errors
