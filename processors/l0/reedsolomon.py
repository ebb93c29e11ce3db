"""Decode Reed-Solomon (255,223) codeblocks, five codewords deep, in the dual basis (CCSDS 131.0-B)."""

from __future__ import annotations

import numpy as np
from numba import njit

FIELD = 0x187  # x8 + x7 + x2 + x + 1
ROOT_STEP = 11  # the code is built on alpha^11 ...
FIRST_ROOT = 112  # ... with roots (alpha^11)^112 to (alpha^11)^143
TRACE_STEP = 117  # bit i of a transmitted symbol, first bit first, is Tr(alpha^(117 i) u)
SYMBOLS = 255
DATA_SYMBOLS = 223
CHECK_SYMBOLS = SYMBOLS - DATA_SYMBOLS
LIMIT = CHECK_SYMBOLS // 2  # symbol errors that can be corrected
INTERLEAVE = 5
FRAME_BYTES = INTERLEAVE * DATA_SYMBOLS
UNCORRECTABLE = -1


def _powers() -> tuple[np.ndarray, np.ndarray]:
    """Return (exponent -> element, element -> exponent) of the field, the first doubled in length."""
    power = np.zeros(510, np.uint8)
    log = np.zeros(256, np.int64)
    element = 1
    for i in range(255):
        power[i] = power[i + 255] = element
        log[element] = i
        element <<= 1
        if element & 0x100:
            element ^= FIELD
    return power, log


POWER, LOG = _powers()
# The same in powers of alpha^11, the element the code is built on: all arithmetic below counts in these.
BETA = POWER[(ROOT_STEP * np.arange(510)) % 255]
BETA_LOG = (LOG * pow(ROOT_STEP, -1, 255)) % 255


def _multiply(a: int, b: int) -> int:
    return int(BETA[BETA_LOG[a] + BETA_LOG[b]]) if a and b else 0


def _to_dual() -> np.ndarray:
    """Return the table polynomial basis -> dual basis, from the traces that define it."""

    def trace(u: int) -> int:
        total = 0
        for _ in range(8):
            total ^= u
            u = _multiply(u, u)
        return total

    factors = [int(POWER[(TRACE_STEP * i) % 255]) for i in range(8)]
    return np.array(
        [sum(trace(_multiply(f, u)) << (7 - i) for i, f in enumerate(factors)) for u in range(256)], np.uint8
    )


DUAL = _to_dual()
POLYNOMIAL = np.argsort(DUAL).astype(np.uint8)  # dual basis -> polynomial basis


def _generator() -> np.ndarray:
    """Return the coefficients of the generator polynomial, lowest degree first, without the leading 1."""
    g = [1]
    for root in range(FIRST_ROOT, FIRST_ROOT + CHECK_SYMBOLS):
        r = int(BETA[root % 255])
        g = [_multiply(low, r) ^ high for low, high in zip([*g, 0], [0, *g], strict=True)]
    return np.array(g[:-1], np.uint8)


def _feedback() -> np.ndarray:
    """Return (symbol, 4) uint64: symbol times generator, dual basis, degree 31 in the top byte of word 3."""
    generator = _generator()
    rows = np.zeros((256, CHECK_SYMBOLS), np.uint8)
    for symbol in range(256):
        rows[symbol] = [DUAL[_multiply(int(POLYNOMIAL[symbol]), int(g))] for g in generator]
    return rows.view("<u8").astype(np.uint64)


FEEDBACK = _feedback()


def decode(codeblocks: np.ndarray) -> np.ndarray:
    """Correct codeblocks in place; return (frame, 5) int16: symbols corrected a codeword, or UNCORRECTABLE.

    codeblocks  (frame, 1275)  uint8, derandomised, C-contiguous

    A codeword beyond the limit keeps the bytes received.
    """
    outcome = np.zeros((codeblocks.shape[0], INTERLEAVE), np.int16)
    if codeblocks.shape[0]:
        _decode(codeblocks, outcome, FEEDBACK, POLYNOMIAL, DUAL, BETA, BETA_LOG)
    return outcome


@njit(cache=True)
def _decode(codeblocks, outcome, feedback, polynomial, dual, beta, beta_log):
    difference = np.empty(CHECK_SYMBOLS, np.uint8)
    word = np.empty(SYMBOLS, np.uint8)
    for frame in range(codeblocks.shape[0]):
        for lane in range(INTERLEAVE):
            if _remainder(codeblocks[frame, lane::INTERLEAVE], feedback, difference):
                continue
            for i in range(CHECK_SYMBOLS):
                difference[i] = polynomial[difference[i]]
            for i in range(SYMBOLS):
                word[i] = polynomial[codeblocks[frame, i * INTERLEAVE + lane]]
            errors = _correct(word, difference, beta, beta_log)
            outcome[frame, lane] = errors
            if errors > 0:
                for i in range(SYMBOLS):
                    codeblocks[frame, i * INTERLEAVE + lane] = dual[word[i]]


@njit(cache=True)
def _remainder(codeword, feedback, difference):
    """Fill difference (32, lowest degree first) with codeword modulo generator; True where it is zero."""
    s0 = s1 = s2 = s3 = np.uint64(0)
    eight, top = np.uint64(8), np.uint64(56)
    for i in range(DATA_SYMBOLS):
        row = feedback[np.uint8(s3 >> top) ^ codeword[i]]
        s3 = ((s3 << eight) | (s2 >> top)) ^ row[3]
        s2 = ((s2 << eight) | (s1 >> top)) ^ row[2]
        s1 = ((s1 << eight) | (s0 >> top)) ^ row[1]
        s0 = (s0 << eight) ^ row[0]
    clean = True
    for i in range(CHECK_SYMBOLS):
        state = (s0, s1, s2, s3)[i // 8]
        computed = np.uint8((state >> np.uint64(8 * (i % 8))) & np.uint64(255))
        difference[i] = computed ^ codeword[SYMBOLS - 1 - i]
        if difference[i]:
            clean = False
    return clean


@njit(cache=True)
def _correct(word, difference, beta, beta_log):
    """Correct a codeword (polynomial basis) in place; return the symbols changed or UNCORRECTABLE."""
    syndrome = np.zeros(CHECK_SYMBOLS, np.uint8)
    for i in range(CHECK_SYMBOLS):
        if difference[i]:
            exponent = (beta_log[difference[i]] + FIRST_ROOT * i) % SYMBOLS
            for j in range(CHECK_SYMBOLS):
                syndrome[j] ^= beta[exponent]
                exponent += i
                exponent -= SYMBOLS * (exponent >= SYMBOLS)
    locator, degree = _berlekamp_massey(syndrome, beta, beta_log)
    if degree > LIMIT:
        return UNCORRECTABLE
    position = _roots(locator[: degree + 1], beta, beta_log)
    if position.size != degree:
        return UNCORRECTABLE
    _forney(word, syndrome, locator, position, beta, beta_log)
    return degree


@njit(cache=True)
def _roots(locator, beta, beta_log):
    """Chien search: the exponents i for which beta^-i is a root, that is where the symbol of x^i is wrong."""
    value = np.zeros(SYMBOLS, np.uint8)
    for k in range(locator.size):
        if locator[k]:
            exponent = beta_log[locator[k]]
            for i in range(SYMBOLS):
                value[i] ^= beta[exponent]
                exponent -= k
                exponent += SYMBOLS * (exponent < 0)
    return np.flatnonzero(value == 0)


@njit(cache=True)
def _berlekamp_massey(syndrome, beta, beta_log):
    """Return the error locator polynomial, lowest degree first, and its formal degree."""
    current = np.zeros(CHECK_SYMBOLS + 1, np.uint8)
    previous = np.zeros(CHECK_SYMBOLS + 1, np.uint8)
    current[0] = previous[0] = 1
    length, shift, scale_log = 0, 1, 0
    for n in range(CHECK_SYMBOLS):
        discrepancy = syndrome[n]
        for i in range(1, length + 1):
            if current[i] and syndrome[n - i]:
                discrepancy ^= beta[beta_log[current[i]] + beta_log[syndrome[n - i]]]
        if discrepancy == 0:
            shift += 1
            continue
        before = current.copy()
        factor = (beta_log[discrepancy] + 255 - scale_log) % 255
        for i in range(shift, CHECK_SYMBOLS + 1):
            if previous[i - shift]:
                current[i] ^= beta[beta_log[previous[i - shift]] + factor]
        if 2 * length <= n:
            length, previous, scale_log, shift = n + 1 - length, before, beta_log[discrepancy], 1
        else:
            shift += 1
    return current, length


@njit(cache=True)
def _forney(word, syndrome, locator, position, beta, beta_log):
    """Subtract the error values X^(1-first) Omega(1/X) / Lambda'(1/X) at the error positions."""
    degree = position.size
    omega = np.zeros(degree, np.uint8)
    for i in range(degree):
        for k in range(i + 1):
            if syndrome[i - k] and locator[k]:
                omega[i] ^= beta[beta_log[syndrome[i - k]] + beta_log[locator[k]]]
    for x in position:
        numerator = denominator = np.uint8(0)
        for i in range(degree):
            if omega[i]:
                numerator ^= beta[(beta_log[omega[i]] + (255 - x) * i) % 255]
        for k in range(1, degree + 1, 2):
            if locator[k]:
                denominator ^= beta[(beta_log[locator[k]] + (255 - x) * (k - 1)) % 255]
        if numerator and denominator:
            shift = (255 - (FIRST_ROOT - 1) * x % 255) + beta_log[numerator] + 255 - beta_log[denominator]
            word[SYMBOLS - 1 - x] ^= beta[shift % 255]
