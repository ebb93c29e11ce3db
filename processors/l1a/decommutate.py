"""Unpack science and attitude packets into detector counts, times and orbit states."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from processors.products import Product

SCIENCE, HOUSEKEEPING, ATTITUDE = 256, 257, 258  # application process identifiers
SCIENCE_BYTES, HOUSEKEEPING_BYTES, ATTITUDE_BYTES = 2590, 32, 100
COUNT_AT, HOUSEKEEPING_MODE_AT = 2, 20
TIME_AT, BOOT_AT, FRAME_AT = 6, 14, 16  # bytes from the start of the packet
FOV_AT, BAND_AT, MODE_AT, SATURATED_AT, TEMPERATURE_AT, COUNTS_AT = 20, 21, 22, 23, 24, 28
STATE_AT = 18
BANDS, FOVS, SPECTELS = 4, 3, 1024
PACKED_BYTES = SPECTELS * 20 // 8
MISSING_DN = -1
CORRECTED = 1  # bit of the L0 quality flag
BOOT_FACTOR, FRAME_FACTOR = 10**11, 10  # sounding_id = boot count, frame counter, field of view


@dataclass(frozen=True)
class Science:
    """Soundings in the order of their identifiers."""

    sounding_id: np.ndarray  # (sounding) int64
    boot_count: np.ndarray  # (sounding)
    frame_counter: np.ndarray  # (sounding)
    fov: np.ndarray  # (sounding) 1..3
    time_code: tuple[np.ndarray, np.ndarray, np.ndarray]  # days, ms, us (sounding)
    operation_mode: np.ndarray  # (sounding)
    detector_temperature: np.ndarray  # (sounding) K
    dn: np.ndarray  # (sounding, band, spectel) int32, MISSING_DN where no packet
    saturated: np.ndarray  # (sounding, band) bool
    band_missing: np.ndarray  # (sounding, band) bool
    band_corrected: np.ndarray  # (sounding, band) bool, by Reed-Solomon


@dataclass(frozen=True)
class States:
    """Orbit and attitude as sampled on board; body frame to Earth-fixed."""

    time_code: tuple[np.ndarray, np.ndarray, np.ndarray]  # days, ms, us (state)
    position: np.ndarray  # (state, 3) m
    velocity: np.ndarray  # (state, 3) m s-1
    quaternion: np.ndarray  # (state, 4) x y z w


@dataclass(frozen=True)
class Stamps:
    """Time, boot and count of frames or packets, in the order they were made."""

    time_code: tuple[np.ndarray, np.ndarray, np.ndarray]
    boot: np.ndarray
    count: np.ndarray


def frame_stamps(l0: Product) -> Stamps:
    """Return one stamp a frame, from its first science packet."""
    packets, _ = packets_of(l0, SCIENCE, SCIENCE_BYTES, until=FRAME_AT + 4)
    _, first = np.unique(frame_key(packets), return_index=True)
    one = packets[first]
    return Stamps(time_code(one), unsigned(one, BOOT_AT, 2), unsigned(one, FRAME_AT, 4))


def state_stamps(packets: np.ndarray) -> Stamps:
    """Return one stamp an attitude packet (packet, ATTITUDE_BYTES) uint8."""
    return Stamps(time_code(packets), unsigned(packets, BOOT_AT, 2), unsigned(packets, COUNT_AT, 2) & 0x3FFF)


def frame_key(packets: np.ndarray) -> np.ndarray:
    """Number the frames over boots: (packet) int64."""
    return (unsigned(packets, BOOT_AT, 2) << 32) + unsigned(packets, FRAME_AT, 4)


def modes_by_frame(l0: Product) -> tuple[np.ndarray, np.ndarray]:
    """Return (frame key, operation mode) as housekeeping tells them."""
    packets, _ = packets_of(l0, HOUSEKEEPING, HOUSEKEEPING_BYTES)
    return frame_key(packets), packets[:, HOUSEKEEPING_MODE_AT].astype(np.int64)


def frame_counters(l0: Product) -> tuple[np.ndarray, np.ndarray]:
    """Return boot count and frame counter of every science packet, nothing else unpacked."""
    mine = _rows(l0, SCIENCE, SCIENCE_BYTES)
    octets = _bytes(l0, mine, BOOT_AT, FRAME_AT + 4)
    return unsigned(octets, 0, 2), unsigned(octets, FRAME_AT - BOOT_AT, 4)


def packets_of(
    l0: Product, apid: int, length: int, wanted: np.ndarray | None = None, until: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return ((packet, byte) uint8 of one kind, (packet) L0 quality flag).

    wanted  (packet of this kind)  bool, all by default;  until  octets of each to copy, all by default
    """
    mine = _rows(l0, apid, length)
    if wanted is not None:
        mine = mine[wanted]
    return _bytes(l0, mine, 0, until or length), l0["quality_flag"][mine]


def _rows(l0: Product, apid: int, length: int) -> np.ndarray:
    offset = l0["packet_offset"]
    whole = (offset >= 0) & (offset + length <= l0["packet_data"].size)
    return np.flatnonzero((l0["apid"] == apid) & (l0["packet_length"] == length) & whole)


def _bytes(l0: Product, rows: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Copy the bytes start to stop of packets, (packet, byte)."""
    return l0["packet_data"][l0["packet_offset"][rows][:, np.newaxis] + np.arange(start, stop)]


def science(packets: np.ndarray, quality: np.ndarray) -> Science:
    """Sort science packets into soundings; one with an impossible field of view or band is left out.

    packets  (packet, SCIENCE_BYTES)  uint8;  quality  (packet)
    """
    possible = (packets[:, FOV_AT] >= 1) & (packets[:, FOV_AT] <= FOVS) & (packets[:, BAND_AT] < BANDS)
    packets, quality = packets[possible], quality[possible]
    boot, frame = unsigned(packets, BOOT_AT, 2), unsigned(packets, FRAME_AT, 4)
    fov, band = packets[:, FOV_AT].astype(np.int64), packets[:, BAND_AT].astype(np.int64)
    identifier = boot * BOOT_FACTOR + frame * FRAME_FACTOR + fov
    sounding_id, first, row = np.unique(identifier, return_index=True, return_inverse=True)
    count = sounding_id.size
    dn = np.full((count, BANDS, SPECTELS), MISSING_DN, np.int32)
    dn[row, band] = unpack_20_bit(packets[:, COUNTS_AT : COUNTS_AT + PACKED_BYTES])
    flags = np.zeros((3, count, BANDS), bool)
    flags[0, row, band] = packets[:, SATURATED_AT] != 0
    flags[1, row, band] = True
    flags[2, row, band] = quality & CORRECTED != 0
    return Science(
        sounding_id=sounding_id,
        boot_count=boot[first],
        frame_counter=frame[first],
        fov=fov[first],
        time_code=time_code(packets[first]),
        operation_mode=packets[first, MODE_AT],
        detector_temperature=unsigned(packets[first], TEMPERATURE_AT, 2) * 0.01,
        dn=dn,
        saturated=flags[0],
        band_missing=~flags[1],
        band_corrected=flags[2],
    )


def chosen(science: Science, mine: np.ndarray) -> Science:
    """Keep the soundings of a mask (sounding) bool."""
    rows = {each.name: getattr(science, each.name) for each in fields(Science)}
    code = tuple(part[mine] for part in rows.pop("time_code"))
    return Science(time_code=code, **{name: values[mine] for name, values in rows.items()})


def states(packets: np.ndarray) -> States:
    """Unpack attitude packets.

    packets  (packet, ATTITUDE_BYTES)  uint8
    """
    packed = np.ascontiguousarray(packets[:, STATE_AT : STATE_AT + 80])
    values = packed.view(">f8").astype(np.float64).reshape(-1, 10)
    return States(time_code(packets), values[:, 0:3], values[:, 3:6], values[:, 6:10])


def time_code(packets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        unsigned(packets, TIME_AT, 2),
        unsigned(packets, TIME_AT + 2, 4),
        unsigned(packets, TIME_AT + 6, 2),
    )


def unpack_20_bit(packed: np.ndarray) -> np.ndarray:
    """Return (..., 2 n / 5) int32 from unsigned 20-bit numbers, most significant bit first.

    packed  (..., n)  uint8
    """
    groups = packed.shape[-1] // 5
    five = packed.reshape(*packed.shape[:-1], groups, 5).astype(np.int32)
    out = np.empty((*five.shape[:-1], 2), np.int32)
    out[..., 0] = five[..., 0] << 12 | five[..., 1] << 4 | five[..., 2] >> 4
    out[..., 1] = (five[..., 2] & 0x0F) << 16 | five[..., 3] << 8 | five[..., 4]
    return out.reshape(*packed.shape[:-1], 2 * groups)


def unsigned(rows: np.ndarray, at: int, width: int) -> np.ndarray:
    """Read a big-endian field of every row as int64."""
    value = np.zeros(rows.shape[0], np.int64)
    for column in range(at, at + width):
        value = value << 8 | rows[:, column]
    return value
