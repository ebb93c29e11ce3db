"""Turn space packets into coded, randomised TM frames (CADUs) and the files a station delivers."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from twin.telemetry import reedsolomon
from twin.telemetry.packets import IDLE, UNSEGMENTED, crc16

SPACECRAFT_ID = 0x2C5  # assumption: no published value
FRAME_BYTES, HEADER_BYTES, FECF_BYTES = 1115, 6, 2
DATA_BYTES = FRAME_BYTES - HEADER_BYTES - FECF_BYTES
NO_PACKET_START = 0x7FF  # first header pointer of a frame in which no packet starts
SEGMENT_LENGTH_ID = 0b11 << 11  # prescribed when the data field holds packets in order (132.0-B 4.1.2.7.5)
SYNC_MARKER = np.frombuffer(bytes.fromhex("1ACFFC1D"), np.uint8)
COUNTER_AT = SYNC_MARKER.size + 3  # octet of a CADU with the frame counter of its virtual channel
CADU_BYTES = SYNC_MARKER.size + reedsolomon.INTERLEAVE * reedsolomon.N
IDLE_OCTET = 0x55  # free choice of the mission
SHORTEST_PACKET = 7  # octets: primary header and one octet

Channel = Callable[[np.ndarray, int], np.ndarray]  # (sent CADUs, virtual channel) -> octets received


def encode(packets: Sequence[bytes], vcid: int, master_count: np.ndarray | None = None) -> bytes:
    """CADUs of one virtual channel, its frame counter from 0; an idle packet fills the last frame.

    master_count  (frame) frame number in the master channel; by default this channel is alone in it
    """
    data, pointer = _multiplex(packets)
    master_count = np.arange(len(data)) if master_count is None else master_count
    return _cadus(_frames(data, pointer, vcid, master_count)).tobytes()


def encode_pass(
    channels: dict[int, list[bytes]], first_count: Mapping[int, int] | None = None
) -> dict[int, np.ndarray]:
    """CADUs (frame, 1279) uint8 of each virtual channel, sent evenly mixed through one master channel.

    first_count  frame counter of each virtual channel at its first frame, 0 by default
    """
    start = first_count or {}
    fields = {vcid: _multiplex(packets) for vcid, packets in channels.items()}
    counts = _master_counts({vcid: len(data) for vcid, (data, _) in fields.items()})
    return {vcid: _cadus(_frames(*fields[vcid], vcid, counts[vcid], start.get(vcid, 0))) for vcid in fields}


def spans(packets: Sequence[bytes]) -> np.ndarray:
    """First and last frame that each packet of a virtual channel is sent in, (packet, 2) int64."""
    ends = np.cumsum([len(packet) for packet in packets], dtype=np.int64)
    starts = ends - [len(packet) for packet in packets]
    return np.stack([starts // DATA_BYTES, (ends - 1) // DATA_BYTES], axis=1)


def write_pass(
    directory: Path,
    channels: dict[int, list[bytes]],
    *,
    station: str,
    pass_number: int,
    acquisition_of_signal_utc: str,
    loss_of_signal_utc: str,
    channel: Channel | None = None,
    first_count: Mapping[int, int] | None = None,
    on_board_utc: str | None = None,
) -> Path:
    """Write the CADUs received, a file a virtual channel, and the manifest; return the manifest's path.

    on_board_utc  what the on-board clock showed at acquisition of signal; by default the right time
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for vcid, sent in encode_pass(channels, first_count).items():
        received = sent if channel is None else channel(sent, vcid)
        content = received.tobytes()
        name = f"pass_{pass_number:04d}_vc{vcid}.cadu"
        _replace(directory / name, content)
        checksum = hashlib.sha256(content).hexdigest()
        entry = {"name": name, "vc": vcid, "bytes": len(content), "sha256": checksum}
        entry["cadus"] = len(content) // CADU_BYTES
        files.append(entry)
    manifest = {
        "station": station,
        "pass": pass_number,
        "acquisition_of_signal_utc": acquisition_of_signal_utc,
        "loss_of_signal_utc": loss_of_signal_utc,
        "clock_correlation": {
            "station_utc": acquisition_of_signal_utc,
            "on_board_utc": on_board_utc or acquisition_of_signal_utc,
        },
        "files": files,
    }
    path = directory / f"pass_{pass_number:04d}.json"
    _replace(path, (json.dumps(manifest, indent=2) + "\n").encode())
    return path


def randomiser(length: int) -> np.ndarray:
    """Pseudo-noise octets of h(x) = x8+x7+x5+x3+1 from all ones (131.0-B section 10), (length) uint8."""
    bits = [1] * 8
    for n in range(255 - 8):
        bits.append(bits[n + 7] ^ bits[n + 5] ^ bits[n + 3] ^ bits[n])
    return np.packbits(np.resize(np.array(bits, np.uint8), 8 * length))


def _multiplex(packets: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Data fields (frame, 1107) uint8 that the packets span, and the first header pointer of each."""
    if not packets:
        return np.empty((0, DATA_BYTES), np.uint8), np.empty(0, np.int64)
    lengths = [len(packet) for packet in packets]
    starts = np.cumsum([0, *lengths])  # of every packet, and of the idle packet after the last
    fill = -starts[-1] % DATA_BYTES
    if 0 < fill < SHORTEST_PACKET:
        fill += DATA_BYTES
    stream = b"".join([*packets, _idle_packet(fill)])
    if not fill:
        starts = starts[:-1]
    data = np.frombuffer(stream, np.uint8).reshape(-1, DATA_BYTES)
    begin = np.arange(len(data)) * DATA_BYTES
    following = np.append(starts, len(stream))[np.searchsorted(starts, begin)]
    pointer = np.where(following < begin + DATA_BYTES, following - begin, NO_PACKET_START)
    return data, pointer


def _idle_packet(length: int) -> bytes:
    """Idle packet of `length` octets in all, none for 0."""
    if not length:
        return b""
    header = np.array([IDLE, UNSEGMENTED, length - HEADER_BYTES - 1], ">u2").tobytes()
    return header + bytes([IDLE_OCTET]) * (length - HEADER_BYTES)


def _master_counts(frames: dict[int, int]) -> dict[int, np.ndarray]:
    """Frame numbers in the master channel when every virtual channel is spread evenly over the pass."""
    vcids = np.repeat(list(frames), list(frames.values()))
    moments = np.concatenate([(np.arange(n) + 0.5) / max(n, 1) for n in frames.values()])
    number = np.empty(moments.size, np.int64)
    number[np.argsort(moments, kind="stable")] = np.arange(moments.size)
    return {vcid: number[vcids == vcid] for vcid in frames}


def _frames(
    data: np.ndarray, pointer: np.ndarray, vcid: int, master_count: np.ndarray, first_count: int = 0
) -> np.ndarray:
    """TM transfer frames (frame, 1115) uint8 of CCSDS 132.0-B, without operational control field."""
    if not 0 <= vcid <= 7:
        raise ValueError(f"a virtual channel number has 3 bits, got {vcid}")
    frames = np.empty((len(data), FRAME_BYTES), np.uint8)
    frames[:, 0:2] = np.array([SPACECRAFT_ID << 4 | vcid << 1], ">u2").view(np.uint8)
    frames[:, 2] = np.asarray(master_count) % 256
    frames[:, 3] = (first_count + np.arange(len(data))) % 256
    frames[:, 4:6] = _octets(SEGMENT_LENGTH_ID | pointer)
    frames[:, HEADER_BYTES:-FECF_BYTES] = data
    frames[:, -FECF_BYTES:] = _octets(crc16(frames[:, :-FECF_BYTES]))
    return frames


def _cadus(frames: np.ndarray) -> np.ndarray:
    """Channel access data units (frame, 1279) uint8: sync marker, then the randomised code block."""
    cadus = np.empty((len(frames), CADU_BYTES), np.uint8)
    cadus[:, : SYNC_MARKER.size] = SYNC_MARKER
    blocks = reedsolomon.encode(frames)
    np.bitwise_xor(blocks, randomiser(blocks.shape[1]), out=cadus[:, SYNC_MARKER.size :])
    return cadus


def _octets(values: np.ndarray) -> np.ndarray:
    """Big-endian octets (value, 2) uint8 of 16-bit numbers."""
    return values.astype(">u2").view(np.uint8).reshape(-1, 2)


def _replace(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)
