"""From CADUs made here after the standards to the packets and the account of an L0 product."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import fastcrc
import numpy as np
import pytest
import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import products
from processors.job import BadInput, Job
from processors.l0 import step, stream

MARKER = bytes.fromhex("1ACFFC1D")
PAYLOAD = {256: 2574, 257: 16, 258: 84}  # bytes between time code and check
FRAME_DATA = 1107
CODEC = reedsolo.RSCodec(32, fcr=112, prim=0x187, generator=173)
ROWS = (0x8D, 0xEF, 0xEC, 0x86, 0xFA, 0x99, 0xAF, 0x7B)  # dual basis, CCSDS 131.0-B annex F
TO_DUAL = np.array(
    [np.bitwise_xor.reduce([r * (u >> (7 - i) & 1) for i, r in enumerate(ROWS)]) for u in range(256)],
    np.uint8,
)
FROM_DUAL = np.argsort(TO_DUAL).astype(np.uint8)
DAY, MS, US = 25_000, 43_200_123, 456  # 2026-06-13 12:00:00.123456 UTC
UNIX = 1_781_352_000.123456


def checked(body: bytes) -> bytes:
    return body + fastcrc.crc16.ibm_3740(body).to_bytes(2, "big")


def packet(apid: int, count: int, boot: int = 3, seed: int = 0) -> bytes:
    payload = np.random.default_rng((apid, count, seed)).bytes(PAYLOAD[apid] - 2)
    data = struct.pack(">HIHH", DAY, MS + count, US, boot) + payload
    return checked(struct.pack(">HHH", 0x0800 | apid, 0xC000 | count % 16384, len(data) + 1) + data)


def idle(length: int) -> bytes:
    return struct.pack(">HHH", 2047, 0xC000, length - 7) + bytes(length - 6)


def transfer_frames(packets: list[bytes], vcid: int = 1, first_count: int = 250) -> list[bytes]:
    stream = b"".join(packets)
    room = -len(stream) % FRAME_DATA
    stream += idle(room if room >= 7 else room + FRAME_DATA) if room else b""
    starts = np.cumsum([0, *map(len, packets)])
    frames = []
    for i in range(0, len(stream), FRAME_DATA):
        inside = [int(s) - i for s in starts if i <= s < i + FRAME_DATA and s < len(stream)]
        count = (first_count + i // FRAME_DATA) % 256
        status = 0b00011 << 11 | (inside[0] if inside else 0x7FF)
        head = struct.pack(">HBBH", 0x2C5 << 4 | vcid << 1, count, count, status)
        frames.append(checked(head + stream[i : i + FRAME_DATA]))
    return frames


def pseudo_noise(length: int) -> np.ndarray:
    register, out = [1] * 8, []
    for _ in range(8 * length):
        out.append(register[0])
        register = [*register[1:], register[0] ^ register[3] ^ register[5] ^ register[7]]
    return np.packbits(out)


NOISE = pseudo_noise(1275)


def cadu(frame: bytes) -> bytes:
    block, raw = np.empty(1275, np.uint8), np.frombuffer(frame, np.uint8)
    for lane in range(5):
        block[lane::5] = TO_DUAL[
            np.frombuffer(bytes(CODEC.encode(bytearray(FROM_DUAL[raw[lane::5]]))), np.uint8)
        ]
    return MARKER + (block ^ NOISE).tobytes()


def receive(*streams: bytes) -> dict[str, np.ndarray]:
    return step.process([np.frombuffer(stream, np.uint8) for stream in streams])


def packets_of(product: dict[str, np.ndarray]) -> list[bytes]:
    rows = zip(product["packet_offset"], product["packet_length"], strict=True)
    return [product["packet_data"][at : at + n].tobytes() for at, n in rows]


def account_of(product: dict[str, np.ndarray]) -> tuple[int, ...]:
    return tuple(int(product[f"packets_{s}"]) for s in ("accepted", "corrected", "quarantined", "missing"))


SCIENCE = [packet(256, 16_380 + i) for i in range(9)]  # the count wraps on the way
SMALL = [packet(258, i) for i in range(12)] + [packet(257, i) for i in range(12)]
FRAMES = transfer_frames(SCIENCE)
SMALL_FRAMES = transfer_frames(SMALL, vcid=2)
UNITS = [cadu(frame) for frame in FRAMES]
SMALL_UNITS = [cadu(frame) for frame in SMALL_FRAMES]


def test_a_clean_pass_gives_every_packet_back() -> None:
    product = receive(b"".join(UNITS), b"".join(SMALL_UNITS))
    assert packets_of(product) == SCIENCE + SMALL
    assert account_of(product) == (33, 0, 0, 0)
    microsecond = 1e-6
    assert product["time"][9] == pytest.approx(UNIX, abs=microsecond)
    assert product["packets_idle"] == 2
    assert product["bytes_skipped"] == 0


def test_correctable_damage_is_corrected_and_said() -> None:
    units = [bytearray(unit) for unit in UNITS]
    for i in range(16):
        units[4][4 + 5 * i] ^= 0xFF
    product = receive(b"".join(units))
    assert packets_of(product) == SCIENCE
    touched = [i for i in range(9) if i * 2590 < 5 * FRAME_DATA and (i + 1) * 2590 > 4 * FRAME_DATA]
    assert np.flatnonzero(product["quality_flag"]).tolist() == touched
    assert account_of(product) == (9 - len(touched), len(touched), 0, 0)
    assert (product["cadus_corrected"], product["symbols_corrected"]) == (1, 16)


def test_damage_beyond_correction_costs_its_packets_and_no_other() -> None:
    units = [bytearray(unit) for unit in UNITS]
    for i in range(40):
        units[4][4 + 5 * i] ^= 0xFF
    product = receive(b"".join(units))
    lost = [i for i in range(9) if i * 2590 < 5 * FRAME_DATA and (i + 1) * 2590 > 4 * FRAME_DATA]
    assert packets_of(product) == [p for i, p in enumerate(SCIENCE) if i not in lost]
    assert (product["cadus_uncorrectable"], product["frames_missing"]) == (1, 1)
    assert product["quarantine_reason"].tolist() == [3]  # interrupted by a lost frame
    assert sum(account_of(product)) == len(SCIENCE)


def test_damage_in_check_symbols_only_leaves_the_frame_good() -> None:
    units = [bytearray(unit) for unit in UNITS]
    units[2][-150:] = bytes(150)
    product = receive(b"".join(units))
    assert packets_of(product) == SCIENCE
    assert product["cadus_uncorrectable"] == 1


def test_the_frame_check_decides_where_reed_solomon_finds_nothing() -> None:
    spoilt = bytearray(FRAMES[4])
    spoilt[500] ^= 1  # before the encoder, so that the codewords are clean
    product = receive(b"".join([*UNITS[:4], cadu(bytes(spoilt)), *UNITS[5:]]))
    assert (product["cadus_uncorrectable"], product["frames_rejected"]) == (0, 1)
    assert set(packets_of(product)) < set(SCIENCE)


def test_a_frame_of_another_spacecraft_is_rejected() -> None:
    foreign = cadu(checked(struct.pack(">H", 0x155 << 4 | 2) + FRAMES[0][2:-2]))
    product = receive(b"".join([*UNITS[:3], foreign, *UNITS[3:]]))
    assert packets_of(product) == SCIENCE
    assert product["frames_rejected"] == 1


def test_channels_that_share_a_file_are_told_apart() -> None:
    product = receive(b"".join([*UNITS[:4], *SMALL_UNITS[:1], *UNITS[4:], *SMALL_UNITS[1:]]))
    assert packets_of(product) == SCIENCE + SMALL
    assert account_of(product) == (33, 0, 0, 0)


def test_a_reboot_that_starts_the_counts_anew_is_no_gap() -> None:
    sent = [packet(258, i, boot=3) for i in range(100, 104)] + [packet(258, i, boot=4) for i in range(4)]
    product = receive(b"".join(cadu(f) for f in transfer_frames(sent, 2)))
    assert packets_of(product) == sent
    assert account_of(product) == (8, 0, 0, 0)


def test_counts_that_are_set_back_without_a_reboot_are_no_gap() -> None:
    """9000 packets back is 7384 ahead the short way round, more than a moment can have sent."""
    sent = [packet(256, 9000 + i) for i in range(6)] + [packet(256, i) for i in range(6)]
    product = receive(b"".join(cadu(frame) for frame in transfer_frames(sent)))
    assert account_of(product) == (12, 0, 0, 0)
    assert product["gap_apid"].size == 0


def test_a_gap_after_the_counts_were_set_back_has_its_own_number() -> None:
    sent = [packet(256, 9000 + i) for i in range(4)] + [packet(256, i) for i in (0, 1, 4, 5)]
    product = receive(b"".join(cadu(frame) for frame in transfer_frames(sent)))
    assert account_of(product) == (8, 0, 0, 2)
    assert product["gap_first_sequence_count"].tolist() == [2]


@pytest.mark.parametrize("lost", range(1, len(UNITS) - 1))
def test_a_lost_frame_is_resynchronised_and_every_packet_accounted_for(lost: int) -> None:
    product = receive(b"".join(UNITS[:lost] + UNITS[lost + 1 :]), b"".join(SMALL_UNITS))
    span = (lost * FRAME_DATA, (lost + 1) * FRAME_DATA)
    kept = [p for i, p in enumerate(SCIENCE) if (i + 1) * 2590 <= span[0] or i * 2590 >= span[1]]
    assert packets_of(product)[: len(kept)] == kept
    assert product["frame_gap_frames"].tolist() == [1]
    assert product["frame_gap_first_count"].tolist() == [(250 + lost) % 256]
    if kept[-1] is SCIENCE[-1]:  # a packet lost at the end shows in no sequence count
        assert sum(account_of(product)) == len(SCIENCE) + len(SMALL)


def test_a_gap_names_apid_and_count() -> None:
    product = receive(b"".join(cadu(f) for f in transfer_frames(SCIENCE[:2] + SCIENCE[6:])))
    rows = [product[f"gap_{name}"].tolist() for name in ("apid", "first_sequence_count", "packets")]
    assert rows == [[256], [16_382], [4]]
    assert account_of(product) == (5, 0, 0, 4)


@pytest.mark.parametrize("length", [0, 5, 700, 0xFFFF])
def test_a_wrong_length_field_costs_one_packet(length: int) -> None:
    sent = list(SMALL)
    sent[3] = sent[3][:4] + struct.pack(">H", length) + sent[3][6:]
    product = receive(b"".join(cadu(f) for f in transfer_frames(sent, 2)))
    assert packets_of(product) == SMALL[:3] + SMALL[4:]
    assert account_of(product) == (23, 0, 1, 0)
    assert product["quarantine_reason"].tolist() == [1]


@pytest.mark.parametrize("length", [0, 300, 2000, 0xFFFF])
def test_an_unknown_packet_with_a_wrong_length_is_left_at_the_next_pointer(length: int) -> None:
    stranger = struct.pack(">HHH", 0x0800 | 300, 0xC000, length) + bytes(1500)
    sent = [*SCIENCE[:3], stranger, *SCIENCE[3:]]
    product = receive(b"".join(cadu(f) for f in transfer_frames(sent)))
    got = packets_of(product)
    assert [p for p in got if p not in SCIENCE] == []
    assert len(got) >= len(SCIENCE) - 1  # at most the packet behind it, where it began in the same frame
    assert account_of(product)[2] + account_of(product)[3] + len(got) == len(SCIENCE)


def test_a_bad_check_is_quarantined_with_its_bytes() -> None:
    bad = bytearray(SCIENCE[4])
    bad[1000] ^= 1
    product = receive(b"".join(cadu(f) for f in transfer_frames([*SCIENCE[:4], bytes(bad), *SCIENCE[5:]])))
    assert packets_of(product) == SCIENCE[:4] + SCIENCE[5:]
    assert account_of(product) == (8, 0, 1, 0)
    assert product["quarantine_data"].tobytes() == bytes(bad)


@pytest.mark.parametrize(("count", "quarantined", "missing"), [(3, 1, 0), (12, 1, 1), (13, 0, 1), (20, 0, 1)])
def test_a_bad_count_far_beyond_the_last_opens_no_gap(count: int, quarantined: int, missing: int) -> None:
    """Twelve of a kind are sent; the fourth is garbled, and so may be its count."""
    bad = SMALL[3][:2] + struct.pack(">H", 0xC000 | count) + SMALL[3][4:-2] + b"\0\0"
    product = receive(b"".join(cadu(f) for f in transfer_frames([*SMALL[:3], bad, *SMALL[4:]], 2)))
    assert account_of(product) == (23, 0, quarantined, missing)
    assert product["remains"] == 1 - quarantined


def test_a_repeated_frame_and_a_repeated_file_give_no_packet_twice() -> None:
    once = b"".join(UNITS)
    product = receive(b"".join(UNITS[:5] + UNITS[4:]), once)
    assert packets_of(product) == SCIENCE
    assert (product["frames_duplicate"], product["packets_duplicate"]) == (1, 9)
    assert (product["quality_flag"] == 2).all()
    assert sum(account_of(product)) == 9


def test_a_second_reception_fills_the_gaps_of_the_first() -> None:
    product = receive(b"".join(UNITS[:3] + UNITS[6:]), b"".join(UNITS))
    assert sorted(packets_of(product)) == sorted(SCIENCE)
    assert account_of(product) == (9, 0, 0, 0)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_random_damage_never_lets_a_false_packet_through(data: st.DataObject) -> None:
    stream = bytearray(b"".join(UNITS + SMALL_UNITS))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(stream) - 1))
        kind = data.draw(st.sampled_from(["cut", "add", "noise"]))
        size = data.draw(st.integers(1, 3000))
        if kind == "cut":
            del stream[at : at + size]
        noise = np.random.default_rng(at).bytes(size)
        stream[at : at + (size if kind == "noise" else 0)] = b"" if kind == "cut" else noise
    product = receive(bytes(stream))
    assert set(packets_of(product)) <= set(SCIENCE + SMALL)
    assert sum(account_of(product)) <= len(SCIENCE + SMALL)


@given(st.binary(min_size=1107, max_size=4 * 1107), st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_frames_carry_nothing_is_raised(content: bytes, data: st.DataObject) -> None:
    units = b""
    for i in range(len(content) // FRAME_DATA):
        pointer = data.draw(st.sampled_from([0, 5, 700, 1106, 0x7FE, 0x7FF]))
        head = struct.pack(">HBBH", 0x2C5 << 4 | 2, 0, data.draw(st.integers(0, 3)), 0b00011 << 11 | pointer)
        units += cadu(checked(head + content[i * FRAME_DATA : (i + 1) * FRAME_DATA]))
    product = receive(units)
    assert product["packet_data"].size + product["quarantine_data"].size <= len(content)


def job(folder: Path, streams: dict[str, bytes]) -> Job:
    rows = []
    for name, content in streams.items():
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        rows.append({"name": name, "vc": 1, "bytes": len(content), "sha256": digest, "cadus": 0})
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"station": "Kiruna", "pass": 1, "files": rows}))
    inputs = {"stream": [folder / name for name in streams], "manifest": manifest}
    return Job("l0", inputs, {"l0": folder / "l0.nc"}, {}, "abc", None, folder / "job.yaml")


def test_run_writes_a_product_that_reads_back(tmp_path: Path) -> None:
    step.run(job(tmp_path, {"a.cadu": b"".join(UNITS), "b.cadu": b"".join(SMALL_UNITS)}))
    product = products.read(tmp_path / "l0.nc", level="l0")
    assert packets_of(product) == SCIENCE + SMALL
    assert product.attrs["parent_files"] == "a.cadu b.cadu manifest.json"


def told(folder: Path, correlation: object) -> float:
    manifest = folder / "manifest.json"
    manifest.write_text(
        json.dumps({"files": [], **({"clock_correlation": correlation} if correlation else {})})
    )
    return stream.clock_offset(manifest)


def test_the_offset_of_the_clock_is_on_board_less_station(tmp_path: Path) -> None:
    times = {"station_utc": "2026-07-01T21:00:00Z", "on_board_utc": "2026-07-01T20:59:50.25Z"}
    assert told(tmp_path, times) == -9.75
    assert np.isnan(told(tmp_path, None))
    with pytest.raises(BadInput, match="expected clock_correlation with on_board_utc and station_utc"):
        told(tmp_path, {"station_utc": "noon"})


def test_markers_with_wrong_bits_are_counted() -> None:
    units = [cadu(frame) for frame in transfer_frames(SCIENCE)]
    units[2] = bytes([units[2][0] ^ 1]) + units[2][1:]
    units[5] = bytes(4) + units[5][4:]
    product = receive(b"".join(units))
    assert int(product["markers_damaged"]) == 2
    assert account_of(product) == (9, 0, 0, 0)


def test_truncated_missing_and_altered_files_are_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "a.cadu"
    spoil: dict[str, Callable[[], object]] = {
        "at least one CADU": lambda: path.write_bytes(b""),
        "bytes by the manifest": lambda: path.write_bytes(b"".join(UNITS)[:-1]),
        "manifest.s sha256": lambda: path.write_bytes(b"".join(reversed(UNITS))),
        "CADU file": path.unlink,
        "JSON manifest": lambda: (tmp_path / "manifest.json").write_text("{}"),
    }
    for said, act in spoil.items():
        order = job(tmp_path, {"a.cadu": b"".join(UNITS)})
        act()
        with pytest.raises(BadInput, match=said):
            step.run(order)
    assert not (tmp_path / "l0.nc").exists()
