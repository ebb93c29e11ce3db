"""Sync marker, pseudo-noise, Reed-Solomon and CRC against the standard's figures and other packages."""

from __future__ import annotations

import fastcrc
import numpy as np
import pytest
import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.l0 import crc, derandomise, reedsolomon, sync

MARKER = bytes.fromhex("1ACFFC1D")
LIMIT = 16  # symbols a codeword, RS (255,223)
# CCSDS 131.0-B annex F: matrix that takes u7..u0 to z0..z7, one row a byte
T_ALPHA_L = (0b10001101, 0b11101111, 0b11101100, 0b10000110, 0b11111010, 0b10011001, 0b10101111, 0b01111011)


def dual(u: int) -> int:
    z = 0
    for row, bit in zip(T_ALPHA_L, f"{u:08b}", strict=True):
        z ^= row * int(bit)
    return z


TO_DUAL = np.array([dual(u) for u in range(256)], np.uint8)
FROM_DUAL = np.argsort(TO_DUAL).astype(np.uint8)
CODEC = reedsolo.RSCodec(32, fcr=112, prim=0x187, generator=173)


def codeblock(frame: np.ndarray) -> np.ndarray:
    """Encode 1115 bytes with another package's code."""
    out = np.empty(1275, np.uint8)
    for lane in range(5):
        word = CODEC.encode(bytearray(FROM_DUAL[frame[lane::5]]))
        out[lane::5] = TO_DUAL[np.frombuffer(bytes(word), np.uint8)]
    return out


@pytest.fixture(scope="module")
def blocks() -> np.ndarray:
    frames = np.random.default_rng(5).integers(0, 256, (4, 1115)).astype(np.uint8)
    return np.array([codeblock(frame) for frame in frames])


def damage(blocks: np.ndarray, errors: int, seed: int) -> np.ndarray:
    """Change `errors` symbols of every codeword."""
    rng, bad = np.random.default_rng(seed), blocks.copy()
    for block in bad:
        for lane in range(5):
            at = rng.choice(255, errors, replace=False) * 5 + lane
            block[at] ^= rng.integers(1, 256, errors).astype(np.uint8)
    return bad


def test_the_dual_basis_is_the_published_matrix() -> None:
    np.testing.assert_array_equal(reedsolomon.DUAL, TO_DUAL)


def test_pseudo_noise_begins_as_published() -> None:
    published = 0b1111111101001000000011101100000010011010  # CCSDS 131.0-B, first 40 bits
    assert int.from_bytes(derandomise.sequence(5).tobytes()) == published
    long = derandomise.sequence(1275)
    np.testing.assert_array_equal(long[:255], long[255:510])


def test_codewords_of_another_package_are_clean(blocks: np.ndarray) -> None:
    assert not reedsolomon.decode(blocks.copy()).any()


@pytest.mark.parametrize("errors", [1, 7, LIMIT])
def test_up_to_the_limit_every_codeword_is_restored(blocks: np.ndarray, errors: int) -> None:
    got = damage(blocks, errors, seed=errors)
    assert (reedsolomon.decode(got) == errors).all()
    np.testing.assert_array_equal(got, blocks)


@pytest.mark.parametrize("errors", [LIMIT + 1, 60, 255])
def test_beyond_the_limit_the_bytes_stay_and_are_flagged(blocks: np.ndarray, errors: int) -> None:
    bad = damage(blocks, errors, seed=errors)
    got = bad.copy()
    assert (reedsolomon.decode(got) == reedsolomon.UNCORRECTABLE).all()
    np.testing.assert_array_equal(got, bad)


def test_a_burst_of_eighty_bytes_is_restored(blocks: np.ndarray) -> None:
    for start in (0, 600, 1275 - 5 * LIMIT):
        got = blocks.copy()
        got[:, start : start + 5 * LIMIT] ^= 0xA5
        reedsolomon.decode(got)
        np.testing.assert_array_equal(got, blocks)


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_crc_is_that_of_another_package(message: bytes) -> None:
    check = fastcrc.crc16.ibm_3740(message).to_bytes(2, "big")  # CRC-16/CCITT-FALSE
    whole = np.frombuffer(message + check, np.uint8)
    start, length = np.zeros(1, np.int64), np.array([whole.size])
    assert crc.intact(whole, start, length).all()
    flipped = whole.copy()
    flipped[0] ^= 0x10
    assert not crc.intact(flipped, start, length).any()


def cadus(count: int, seed: int = 2) -> bytes:
    body = np.random.default_rng(seed).integers(0, 256, (count, 1275)).astype(np.uint8)
    return b"".join(MARKER + row.tobytes() for row in body)


def offsets(stream: bytes) -> list[int]:
    return sync.cadu_offsets(np.frombuffer(stream, np.uint8)).tolist()


def test_units_in_step() -> None:
    assert offsets(cadus(5)) == [0, 1279, 2558, 3837, 5116]


def test_rubbish_before_and_a_cut_unit_after() -> None:
    assert offsets(b"\x1a\xcf" + b"rubbish" + cadus(3) + MARKER + b"cut") == [9, 9 + 1279, 9 + 2558]


def test_a_spoilt_marker_is_carried_by_the_flywheel() -> None:
    stream = bytearray(cadus(5))
    stream[2558:2562] = b"\x00\x00\x00\x00"
    assert offsets(bytes(stream)) == [0, 1279, 2558, 3837, 5116]


@pytest.mark.parametrize("after", [b"", b"\x1a\xcf\xfc"])
def test_a_spoilt_marker_of_the_last_unit_costs_nothing(after: bytes) -> None:
    stream = bytearray(cadus(5)) + after
    stream[5116:5120] = b"\xe5\x30\x03\xe2"
    assert offsets(bytes(stream)) == [0, 1279, 2558, 3837, 5116]


@pytest.mark.parametrize("lost", [1, 500])
def test_bytes_lost_before_the_last_unit_leave_it_found(lost: int) -> None:
    stream = cadus(5)
    got = offsets(stream[:4000] + stream[4000 + lost :])
    assert got == [0, 1279, 2558, 3837, 5116 - lost]


@pytest.mark.parametrize("lost", [1, 500])
def test_lost_bytes_cost_only_their_unit(lost: int) -> None:
    stream = cadus(6)
    got = offsets(stream[:3000] + stream[3000 + lost :])
    assert got == [0, 1279, 2558, 3837 - lost, 5116 - lost, 6395 - lost]


def test_added_bytes_are_skipped() -> None:
    stream = cadus(5)
    got = offsets(stream[:2558] + b"slip!" + stream[2558:])
    assert got == [0, 1279, 2563, 3842, 5121]


def test_a_marker_by_chance_does_not_win_over_one_that_another_follows() -> None:
    stream = b"x" * 40 + MARKER + b"y" * 60 + cadus(4)
    assert offsets(stream) == [104, 104 + 1279, 104 + 2558, 104 + 3837]


@given(st.binary(max_size=4000), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_whatever_arrives_the_units_are_in_order_and_whole(noise: bytes, markers: int) -> None:
    stream = (noise[: len(noise) // 2] + MARKER * markers + noise[len(noise) // 2 :]) * 2
    got = np.array(offsets(stream), np.int64)
    assert (np.diff(got) > 0).all()
    assert (got + 1279 <= len(stream)).all()
