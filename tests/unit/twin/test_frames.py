"""Transfer frames, Reed-Solomon checks, randomiser and the files of a pass."""

import binascii
import hashlib
import json
import struct

import numpy as np
import pytest
import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.telemetry import frames, reedsolomon
from twin.telemetry.channel import Channel

ERRORS_CORRECTED = 16  # symbols of a code word, (255 - 223) / 2


def space_packet(length, apid=100, fill=0x11):
    return struct.pack(">HHH", apid, 0xC000, length - 7) + bytes([fill]) * (length - 6)


def frames_of(cadus):
    """Transfer frames of error-free CADUs: derandomised, checks dropped."""
    rows = np.frombuffer(cadus, np.uint8).reshape(-1, 1279)
    return (rows[:, 4:] ^ frames.randomiser(1275))[:, :1115]


def packets_of(cadus):
    """Packets of error-free CADUs, idle packets included."""
    stream = frames_of(cadus)[:, 6:-2].tobytes()
    found = []
    while stream:
        length = struct.unpack(">H", stream[4:6])[0] + 7
        found.append(stream[:length])
        stream = stream[length:]
    return found


def pointers_of(cadus):
    return [int(row[4] & 7) << 8 | int(row[5]) for row in frames_of(cadus)]


def conventional(symbols):
    """Conventional-basis symbols of dual-basis ones by the inverse matrix printed in 131.0-B 4.3.9."""
    rows = np.array([0xC5, 0x42, 0x2E, 0xFD, 0xF0, 0x79, 0xAC, 0xCC], np.uint8)
    bits = np.unpackbits(np.asarray(symbols, np.uint8)[..., None], axis=-1)
    return np.bitwise_xor.reduce(bits * rows, axis=-1)


@pytest.fixture(scope="module")
def codec():
    return reedsolo.RSCodec(32, nsize=255, fcr=112, prim=0x187, generator=173)


def test_randomiser_begins_as_published():
    assert frames.randomiser(8).tobytes().hex(" ") == "ff 48 0e c0 9a 0d 70 bc"  # 131.0-B, 10.4.1


def test_randomiser_is_a_maximum_length_sequence():
    bits = np.unpackbits(frames.randomiser(1275))
    period = bits[:255]
    assert period.sum() == 128
    assert (bits.reshape(-1, 255) == period).all()
    assert len({tuple(np.roll(period, -shift)[:8]) for shift in range(255)}) == 255


def test_dual_basis_by_its_definition():
    """z_i = Tr(x beta**i) with beta = alpha**117 (131.0-B 4.4.2), computed in the conventional basis."""

    def power(base, exponent):
        result = 1
        for _ in range(exponent):
            result = reedsolomon.multiply(result, base)
        return result

    def trace(element):
        total = 0
        for _ in range(8):
            total ^= element
            element = reedsolomon.multiply(element, element)
        return total

    beta = power(2, 117)
    weights = [power(beta, i) for i in range(8)]
    for x, dual in enumerate(reedsolomon.to_dual_basis()):
        bits = [trace(reedsolomon.multiply(x, weight)) for weight in weights]
        assert dual == int("".join(map(str, bits)), 2)


def test_dual_basis_is_undone_by_the_published_inverse_matrix():
    assert (conventional(reedsolomon.to_dual_basis()) == np.arange(256)).all()


def test_generator_polynomial_as_published():
    """Powers of alpha of G0..G16 from the annex of 131.0-B on the code; G17..G32 mirror them."""
    exponents = [0, 249, 59, 66, 4, 43, 126, 251, 97, 30, 3, 213, 50, 66, 170, 5, 24]
    alpha = [1]
    for _ in range(254):
        alpha.append(reedsolomon.multiply(alpha[-1], 2))
    half = [alpha[exponent] for exponent in exponents]
    assert reedsolomon.generator_polynomial() == half + half[-2::-1]


def test_checks_agree_with_reedsolo(codec):
    data = np.random.default_rng(1).integers(0, 256, (3, 1115), dtype=np.uint8)
    blocks = reedsolomon.encode(data)
    assert (blocks[:, :1115] == data).all()
    for block in blocks:
        for lane in range(5):
            word = conventional(block[lane::5])
            assert bytes(codec.encode(word[:223].tobytes())) == word.tobytes()


def test_sixteen_wrong_symbols_are_corrected_and_seventeen_are_not(codec):
    rng = np.random.default_rng(2)
    sent = conventional(reedsolomon.encode(rng.integers(0, 256, (1, 1115), dtype=np.uint8))[0, 3::5])
    where = rng.permutation(255)
    for count in (ERRORS_CORRECTED, ERRORS_CORRECTED + 1):
        received = sent.copy()
        received[where[:count]] ^= rng.integers(1, 256, count, dtype=np.uint8)
        if count <= ERRORS_CORRECTED:
            assert bytes(codec.decode(received.tobytes())[1]) == sent.tobytes()
        else:
            with pytest.raises(reedsolo.ReedSolomonError):
                codec.decode(received.tobytes())


def test_reed_solomon_takes_whole_frames_only():
    with pytest.raises(ValueError, match="1115 octets"):
        reedsolomon.encode(np.zeros((2, 1114), np.uint8))


@given(st.lists(st.integers(7, 5000), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_packets_come_back_and_pointers_lead_to_them(lengths):
    sent = [space_packet(length, fill=number) for number, length in enumerate(lengths)]
    cadus = frames.encode(sent, vcid=1)
    found = packets_of(cadus)
    assert found[: len(sent)] == sent
    assert all(packet[:2] == b"\x07\xff" for packet in found[len(sent) :])
    starts = np.cumsum([0, *(len(packet) for packet in found)])[:-1]
    for number, pointer in enumerate(pointers_of(cadus)):
        inside = [start - 1107 * number for start in starts if 0 <= start - 1107 * number < 1107]
        assert pointer == (inside[0] if inside else 0x7FF)


@pytest.mark.parametrize(
    ("room", "idle", "pointers"),
    [
        (0, [], [0, 0x7FF]),
        (1, [1108], [0, 1106, 0x7FF]),
        (6, [1113], [0, 1101, 0x7FF]),
        (7, [7], [0, 1100]),
        (8, [8], [0, 1099]),
    ],
)
def test_idle_packet_fills_the_last_frame(room, idle, pointers):
    """Fewer than 7 octets cannot hold a packet: the idle packet then runs through one more frame."""
    cadus = frames.encode([space_packet(2 * 1107 - room)], vcid=1)
    assert [len(packet) for packet in packets_of(cadus)[1:]] == idle
    assert pointers_of(cadus) == pointers


def test_frame_header_and_error_control():
    rows = frames_of(frames.encode([space_packet(3000)], vcid=2))
    assert rows[:, :2].tobytes() == b"\x2c\x54" * 3  # version 0, spacecraft 0x2C5, channel 2, no OCF
    assert rows[:, 4].tolist() == [0x18 | 0, 0x18 | 7, 0x18 | 3]  # no secondary header, segment length 0b11
    assert [binascii.crc_hqx(row.tobytes(), 0xFFFF) for row in rows] == [0, 0, 0]


def test_counters_have_eight_bits():
    rows = frames_of(frames.encode([space_packet(1107)] * 260, vcid=1, master_count=np.arange(260) + 1000))
    assert rows[:, 3].tolist() == [n % 256 for n in range(260)]
    assert rows[:, 2].tolist() == [(1000 + n) % 256 for n in range(260)]


def test_master_channel_counts_every_frame_once():
    cadus = frames.encode_pass({1: [space_packet(1107)] * 90, 2: [space_packet(1107)] * 10, 3: []})
    assert {vcid: len(rows) for vcid, rows in cadus.items()} == {1: 90, 2: 10, 3: 0}
    master = [frames_of(rows.tobytes())[:, 2] for rows in cadus.values()]
    assert sorted(np.concatenate(master).tolist()) == list(range(100))
    assert (np.diff(master[1].astype(int)) == 10).all()  # channel 2 is spread over the whole pass


def test_nothing_to_send_gives_no_frame():
    assert frames.encode([], vcid=1) == b""


def test_a_virtual_channel_number_has_three_bits():
    assert frames.encode([space_packet(20)], vcid=7)
    with pytest.raises(ValueError, match="3 bits, got 8"):
        frames.encode([space_packet(20)], vcid=8)


def test_sync_marker_is_not_randomised():
    assert frames.encode([space_packet(20)], vcid=1)[:4].hex() == "1acffc1d"


def write(directory, **options):
    return frames.write_pass(
        directory,
        {1: [space_packet(2590)] * 20, 2: [space_packet(100)] * 5},
        station="Kiruna",
        pass_number=1,
        acquisition_of_signal_utc="2026-07-01T21:30:00Z",
        loss_of_signal_utc="2026-07-01T21:38:00Z",
        **options,
    )


def test_manifest_says_what_was_received(tmp_path):
    path = write(tmp_path / "l0_stream")
    manifest = json.loads(path.read_text())
    assert (manifest["station"], manifest["pass"]) == ("Kiruna", 1)
    assert [entry["name"] for entry in manifest["files"]] == ["pass_0001_vc1.cadu", "pass_0001_vc2.cadu"]
    for entry in manifest["files"]:
        content = (path.parent / entry["name"]).read_bytes()
        assert entry["bytes"] == len(content) == 1279 * entry["cadus"]
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "pass_0001.json",
        "pass_0001_vc1.cadu",
        "pass_0001_vc2.cadu",
    ]


def test_manifest_counts_after_the_channel(tmp_path):
    whole = json.loads(write(tmp_path / "whole").read_text())
    lossy = json.loads(write(tmp_path / "lossy", channel=Channel(frame_loss=0.3)).read_text())
    assert 0 < lossy["files"][0]["cadus"] < whole["files"][0]["cadus"]
