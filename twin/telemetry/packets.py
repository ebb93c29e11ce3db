"""Turn detector row sums, housekeeping and ephemeris into CCSDS 133.0-B space packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba as nb
import numpy as np
import pandas as pd
import xarray as xr

from twin import timecodes
from twin.constants import SPECTELS

SCIENCE, HOUSEKEEPING, ATTITUDE, IDLE = 256, 257, 258, 2047  # APIDs; 2047 is the standard's idle packet
VIRTUAL_CHANNEL = {SCIENCE: 1, HOUSEKEEPING: 2, ATTITUDE: 2}
SEQUENCE_MODULO = 1 << 14  # the sequence count has 14 bits
UNSEGMENTED = 0b11 << 14  # sequence flags of a packet that is not part of a group
SECONDARY_HEADER = 1 << 11

KEY_BYTES = 16  # primary header, time code and boot count: they tell any two packets apart

SAMPLE_BITS = 20  # 40 rows of 14 bits add up to less than 2**20
SPECTRUM_BYTES = SPECTELS * SAMPLE_BITS // 8

_HEADER = [
    ("identification", ">u2"),
    ("sequence", ">u2"),
    ("data_length", ">u2"),
    ("days", ">u2"),
    ("ms_of_day", ">u4"),
    ("us_of_ms", ">u2"),
    ("boot_count", ">u2"),
]
LAYOUT = {
    SCIENCE: np.dtype(
        [
            *_HEADER,
            ("frame_counter", ">u4"),
            ("fov", "u1"),
            ("band", "u1"),
            ("operation_mode", "u1"),
            ("saturated_rows_flag", "u1"),
            ("detector_temperature", ">u2"),  # 0.01 K
            ("spare", ">u2"),
            ("spectrum", "u1", SPECTRUM_BYTES),
            ("crc", ">u2"),
        ]
    ),
    HOUSEKEEPING: np.dtype(
        [
            *_HEADER,
            ("frame_counter", ">u4"),
            ("operation_mode", "u1"),
            ("spare", "u1"),
            ("detector_temperature", ">u2"),  # 0.01 K
            ("instrument_voltage", ">u2"),  # mV
            ("memory_level", ">u4"),  # kbit
            ("crc", ">u2"),
        ]
    ),
    ATTITUDE: np.dtype(
        [
            *_HEADER,
            ("spare", ">u2"),
            ("position", ">f8", 3),  # m, Earth-fixed
            ("velocity", ">f8", 3),  # m s-1, Earth-fixed
            ("quaternion", ">f8", 4),  # body to Earth-fixed, x y z w
            ("crc", ">u2"),
        ]
    ),
}

Clock = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Housekeeping:
    """Instrument state, one value for the pass or one a frame."""

    detector_temperature_k: float | np.ndarray = 150.0  # MISSION.md: detector at 150 K
    instrument_voltage_mv: int | np.ndarray = 28_000  # assumption: 28 V bus
    memory_level_kbit: int | np.ndarray = 0


def crc16(rows: np.ndarray) -> np.ndarray:
    """CRC-16-CCITT-FALSE of each row: x16+x12+x5+1, all ones at the start, MSB first.

    rows  (row, byte) uint8  ->  (row) uint16
    """
    return _crc16(np.ascontiguousarray(rows), _CRC_TABLE)


def pack_samples(row_sums: np.ndarray) -> np.ndarray:
    """Pack 20-bit row sums, MSB first: two samples in five bytes.

    row_sums  (..., spectel) integers, an even number of spectels  ->  (..., spectel * 5 / 2) uint8
    """
    if row_sums.dtype.kind not in "iu":
        raise ValueError(f"row sums must be integers, got {row_sums.dtype}: digitise before packing")
    samples = _fits(row_sums, SAMPLE_BITS, "row sum").astype(np.int32, copy=False)
    packed = np.empty((samples.size // 2, 5), np.uint8)
    _pack_pairs(samples.reshape(-1, 2), packed)
    return packed.reshape(*samples.shape[:-1], -1)


def build(
    dn: xr.Dataset,
    geometry: xr.Dataset,
    ephemeris: xr.Dataset,
    housekeeping: Housekeeping | None = None,
    *,
    pass_number: int = 1,
    first_sequence_count: dict[int, int] | None = None,
    clock: Clock = np.asarray,
) -> tuple[dict[int, list[bytes]], pd.DataFrame]:
    """Packets of each virtual channel in time order, and the table of what was sent (VC 1 first).

    dn         sounding_id(sounding), dn(sounding, band, spectel), saturated_rows(sounding, band)
    geometry   sounding_id, time_gps_us, operation_mode (sounding), for at least the soundings of `dn`
    ephemeris  time_gps_us(time), position(time, 3) m, velocity(time, 3) m s-1, quaternion(time, 4) x y z w
    clock      what the on-board clock shows at true times, GPS us; exact by default
    """
    frames = _frame_table(dn, geometry)
    state = housekeeping or Housekeeping()
    records = {
        SCIENCE: _science(dn, frames, state),
        HOUSEKEEPING: _housekeeping(frames.drop_duplicates("frame"), state),
        ATTITUDE: _attitude(ephemeris, frames),
    }
    channels: dict[int, list[bytes]] = {}
    sent = []
    for vcid in sorted(set(VIRTUAL_CHANNEL.values())):
        members = [apid for apid in LAYOUT if VIRTUAL_CHANNEL[apid] == vcid]
        packets, times, tables = [], [], []
        for apid in members:
            time_gps_us, record = records[apid]
            start = (first_sequence_count or {}).get(apid, 0)
            packets += _seal(apid, record, clock(time_gps_us), start)
            times.append(time_gps_us)
            tables.append(_sent_table(apid, record, pass_number))
        order = np.argsort(np.concatenate(times), kind="stable")
        channels[vcid] = [packets[index] for index in order]
        sent.append(pd.concat(tables, ignore_index=True).iloc[order])
    return channels, pd.concat(sent, ignore_index=True)


def _frame_table(dn: xr.Dataset, geometry: xr.Dataset) -> pd.DataFrame:
    """Identifiers, time and mode of the soundings of `dn`, in their order; `frame` numbers the frames met."""
    wanted = dn["sounding_id"].to_numpy()
    known = pd.Index(geometry["sounding_id"].to_numpy())
    rows = known.get_indexer(wanted)
    if (rows < 0).any():
        missing = wanted[rows < 0]
        raise ValueError(
            f"geometry must hold every sounding of dn, {len(missing)} missing, first {missing[0]}"
        )
    table = pd.DataFrame({"boot_count": wanted // 10**11, "frame_counter": wanted // 10 % 10**10})
    table["fov"] = wanted % 10
    table["time_gps_us"] = geometry["time_gps_us"].to_numpy()[rows]
    table["operation_mode"] = geometry["operation_mode"].to_numpy()[rows]
    table["frame"] = pd.factorize(wanted // 10)[0]
    _fits(table["boot_count"], 16, "boot count")
    _fits(table["frame_counter"], 32, "frame counter")
    return table


def _science(dn: xr.Dataset, frames: pd.DataFrame, state: Housekeeping) -> tuple[np.ndarray, np.ndarray]:
    """One record for each (sounding, band), in time order then FOV then band."""
    row_sums = dn["dn"].transpose("sounding", "band", "spectel").to_numpy()
    if row_sums.shape[-1] != SPECTELS:
        raise ValueError(f"a science packet holds {SPECTELS} spectels, got {row_sums.shape[-1]}")
    bands = row_sums.shape[1]
    record = np.zeros((len(frames), bands), LAYOUT[SCIENCE])
    for name in ("boot_count", "frame_counter", "fov", "operation_mode"):
        record[name] = frames[name].to_numpy()[:, None]
    record["band"] = np.arange(bands)
    record["saturated_rows_flag"] = dn["saturated_rows"].transpose("sounding", "band").to_numpy() > 0
    record["detector_temperature"] = _centikelvin(state, frames)[:, None]
    record["spectrum"] = pack_samples(row_sums)
    order = np.lexsort((frames["fov"], frames["time_gps_us"]))
    times = np.repeat(frames["time_gps_us"].to_numpy()[order], bands)
    return times, record[order].ravel()


def _housekeeping(frames: pd.DataFrame, state: Housekeeping) -> tuple[np.ndarray, np.ndarray]:
    """One record for each frame, in time order."""
    record = np.zeros(len(frames), LAYOUT[HOUSEKEEPING])
    for name in ("boot_count", "frame_counter", "operation_mode"):
        record[name] = frames[name]
    record["detector_temperature"] = _centikelvin(state, frames)
    record["instrument_voltage"] = _fits(_per_frame(state.instrument_voltage_mv, frames), 16, "voltage in mV")
    record["memory_level"] = _fits(_per_frame(state.memory_level_kbit, frames), 32, "memory level in kbit")
    order = np.argsort(frames["time_gps_us"].to_numpy(), kind="stable")
    return frames["time_gps_us"].to_numpy()[order], record[order]


def _attitude(ephemeris: xr.Dataset, frames: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """One record for each time of the ephemeris, in time order, of the boot of the nearest frame."""
    times = ephemeris["time_gps_us"].to_numpy()
    record = np.zeros(times.size, LAYOUT[ATTITUDE])
    ordered = frames.sort_values("time_gps_us")
    seen = ordered["time_gps_us"].to_numpy()
    nearest = np.searchsorted((seen[1:] + seen[:-1]) // 2, times)
    record["boot_count"] = ordered["boot_count"].to_numpy()[nearest]
    for name in ("position", "velocity", "quaternion"):
        record[name] = ephemeris[name].to_numpy()
    order = np.argsort(times, kind="stable")
    return times[order], record[order]


def _seal(apid: int, record: np.ndarray, time_gps_us: np.ndarray, first_count: int) -> list[bytes]:
    """Fill in headers and checksum, and cut the records into packets."""
    length = record.dtype.itemsize
    record["identification"] = SECONDARY_HEADER | apid
    record["sequence"] = UNSEGMENTED | ((first_count + np.arange(record.size)) % SEQUENCE_MODULO)
    record["data_length"] = length - 6 - 1  # octets after the primary header, less one
    days, record["ms_of_day"], record["us_of_ms"] = timecodes.cds(time_gps_us)
    record["days"] = _fits(days, 16, "CDS day")
    octets = _octets(record)
    record["crc"] = crc16(octets[:, :-2])
    stream = octets.tobytes()
    return [stream[at : at + length] for at in range(0, len(stream), length)]


def _octets(record: np.ndarray) -> np.ndarray:
    """(packet, octet) uint8, a view."""
    return record.view(np.uint8).reshape(-1, record.dtype.itemsize)


def _sent_table(apid: int, record: np.ndarray, pass_number: int) -> pd.DataFrame:
    """What was sent, a row a packet; fields a packet does not have are left empty."""
    names = record.dtype.names or ()
    table = pd.DataFrame({"apid": apid, "sequence_count": record["sequence"] % SEQUENCE_MODULO})
    for name in ("frame_counter", "fov", "band"):
        values = record[name].astype(np.int64) if name in names else pd.NA
        table[name] = pd.Series(values, index=table.index, dtype="Int64")
    table["bytes"] = record.dtype.itemsize
    table["vc"] = VIRTUAL_CHANNEL[apid]
    table["header"] = [octets[:KEY_BYTES].tobytes().hex() for octets in _octets(record)]
    table["pass"] = pass_number
    return table


def _centikelvin(state: Housekeeping, frames: pd.DataFrame) -> np.ndarray:
    """Detector temperature of each row of `frames` in 0.01 K."""
    return _fits(np.rint(100 * _per_frame(state.detector_temperature_k, frames)), 16, "detector temperature")


def _per_frame(value: float | np.ndarray, frames: pd.DataFrame) -> np.ndarray:
    """Value of the frame each row of `frames` belongs to."""
    values = np.asarray(value)
    return values[frames["frame"].to_numpy()] if values.ndim else np.full(len(frames), values)


def _fits(values: np.ndarray | pd.Series, bits: int, what: str) -> np.ndarray:
    """Refuse what an unsigned field of `bits` bits would wrap silently."""
    values = np.asarray(values)
    if values.size and (values.min() < 0 or values.max() >= 1 << bits):
        found = f"{values.min()} to {values.max()}"
        raise ValueError(f"{what} must lie in 0..{(1 << bits) - 1} to fit its {bits} bits, got {found}")
    return values


def _crc_table() -> np.ndarray:
    """Remainder of each leading octet."""
    table = np.arange(256, dtype=np.uint32) << 8
    for _ in range(8):
        table = np.where(table & 0x8000, (table << 1) ^ 0x1021, table << 1) & 0xFFFF
    return table.astype(np.uint16)


_CRC_TABLE = _crc_table()


@nb.njit(cache=True)
def _pack_pairs(samples: np.ndarray, packed: np.ndarray) -> None:
    for pair in range(samples.shape[0]):
        word = (np.int64(samples[pair, 0]) << SAMPLE_BITS) | samples[pair, 1]
        for octet in range(5):
            packed[pair, octet] = (word >> (32 - 8 * octet)) & 0xFF


@nb.njit(cache=True)
def _crc16(rows: np.ndarray, table: np.ndarray) -> np.ndarray:
    remainders = np.empty(rows.shape[0], np.uint16)
    for row in range(rows.shape[0]):
        crc = 0xFFFF
        for octet in rows[row]:
            crc = ((crc << 8) & 0xFFFF) ^ table[(crc >> 8) ^ octet]
        remainders[row] = crc
    return remainders
