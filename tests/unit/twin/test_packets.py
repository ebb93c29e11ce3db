"""Space packets: bit packing, checksum, time, order, counters, and the table of what was sent."""

import binascii
import struct
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import timecodes
from twin.telemetry import packets

FIRST_US = timecodes.gps_us(datetime(2026, 7, 1, 20, 40, 0, 652_123, tzinfo=UTC))
FRAME_US = 1_304_000
BOOT, FIRST_FRAME = 3, 70_000


def observed(frames, seed=1):
    """Row sums and geometry of `frames` frames of 3 fields of view."""
    rng = np.random.default_rng(seed)
    frame = np.repeat(np.arange(frames), 3)
    sounding_id = BOOT * 10**11 + (FIRST_FRAME + frame) * 10 + np.tile([1, 2, 3], frames)
    row_sums = rng.integers(0, 1 << 20, (3 * frames, 4, 1024), dtype=np.int32)
    saturated = np.zeros((3 * frames, 4), np.int16)
    saturated[1, 3] = 7
    dn = xr.Dataset(
        {
            "sounding_id": ("sounding", sounding_id),
            "dn": (("sounding", "band", "spectel"), row_sums),
            "saturated_rows": (("sounding", "band"), saturated),
        }
    )
    geometry = xr.Dataset(
        {
            "sounding_id": ("sounding", sounding_id),
            "time_gps_us": ("sounding", FIRST_US + frame * FRAME_US),
            "operation_mode": ("sounding", np.ones(3 * frames, np.int8)),
        }
    )
    return dn, geometry


def ephemeris(seconds, seed=2):
    rng = np.random.default_rng(seed)
    second = FIRST_US // 1_000_000 * 1_000_000
    return xr.Dataset(
        {
            "position": (("time", "xyz"), rng.normal(0, 7e6, (seconds, 3))),
            "velocity": (("time", "xyz"), rng.normal(0, 7e3, (seconds, 3))),
            "quaternion": (("time", "xyzw"), rng.normal(0, 0.5, (seconds, 4))),
        },
        coords={"time_gps_us": ("time", second + np.arange(seconds) * 1_000_000)},
    )


def built(frames=2, seconds=5, **options):
    return packets.build(*observed(frames), ephemeris(seconds), **options)


def header(packet):
    """Identification, sequence word, data length, days, ms, us of one packet."""
    return struct.unpack(">HHHHIH", packet[:14])


def time_gps_us(packet):
    days, ms, us = header(packet)[3:]
    utc = datetime(1958, 1, 1, tzinfo=UTC) + timedelta(days=days, milliseconds=ms, microseconds=us)
    return timecodes.gps_us(utc)


def unpack_bits(octets):
    """20-bit numbers of one packed spectrum, by one big integer."""
    whole = int.from_bytes(octets, "big")
    count = 8 * len(octets) // 20
    return [whole >> 20 * (count - 1 - at) & 0xFFFFF for at in range(count)]


def test_crc_of_the_published_check_string():
    text = np.frombuffer(b"123456789", np.uint8)[None]
    assert packets.crc16(text)[0] == 0x29B1  # CRC-16/IBM-3740, catalogue of parametrised CRC algorithms


@given(st.binary(min_size=1, max_size=200))
@settings(max_examples=50, deadline=None)
def test_crc_agrees_with_the_standard_library(data):
    assert packets.crc16(np.frombuffer(data, np.uint8)[None])[0] == binascii.crc_hqx(data, 0xFFFF)


@given(st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_packed_samples_unpack_to_themselves(values):
    pairs = np.array(values + values[::-1], np.int32)
    assert unpack_bits(packets.pack_samples(pairs).tobytes()) == pairs.tolist()


def test_packing_is_most_significant_bit_first():
    assert packets.pack_samples(np.array([0x12345, 0x6789A])).tobytes().hex() == "123456789a"


@pytest.mark.parametrize("value", [0, (1 << 20) - 1])
def test_last_row_sums_accepted(value):
    assert unpack_bits(packets.pack_samples(np.array([value, value])).tobytes()) == [value, value]


@pytest.mark.parametrize("value", [-1, 1 << 20])
def test_first_row_sums_refused(value):
    with pytest.raises(ValueError, match=r"row sum must lie in 0\.\.1048575"):
        packets.pack_samples(np.array([0, value]))


def test_row_sums_that_were_not_digitised_are_refused():
    with pytest.raises(ValueError, match="must be integers, got float64"):
        packets.pack_samples(np.array([1.0, 2.5]))


def test_lengths_and_channels():
    channels, _ = built(frames=2, seconds=5)
    assert [len(packet) for packet in channels[1]] == [2590] * 24
    assert sorted(len(packet) for packet in channels[2]) == [32] * 2 + [100] * 5
    for packet in channels[1] + channels[2]:
        assert header(packet)[2] == len(packet) - 7
        assert binascii.crc_hqx(packet, 0xFFFF) == 0  # a message followed by its CRC leaves no remainder


def test_row_sums_arrive_in_the_packet_of_their_field_of_view_and_band():
    dn, geometry = observed(2)
    channels, _ = packets.build(dn, geometry, ephemeris(1))
    packet = channels[1][4 * 4 + 2]  # frame 1, second of its 3 fields of view comes fifth, third band
    boot, frame, fov, band, mode, flag, temperature, spare = struct.unpack(">HIBBBBHH", packet[14:28])
    assert (boot, frame, fov, band, mode) == (BOOT, FIRST_FRAME + 1, 2, 2, 1)
    assert (flag, temperature, spare) == (0, 15_000, 0)
    assert unpack_bits(packet[28:-2]) == dn["dn"].to_numpy()[4, 2].tolist()
    flags = [packet[25 - 2] for packet in channels[1]]
    assert np.flatnonzero(flags).tolist() == [7]  # sounding 1, band 3


def test_time_stamps_carry_the_microsecond():
    channels, _ = built(frames=2, seconds=3)
    assert [time_gps_us(packet) for packet in channels[1]] == [FIRST_US] * 12 + [FIRST_US + FRAME_US] * 12
    assert header(channels[1][0])[3:] == (25_018, 74_400_652, 123)  # 2026-07-01T20:40:00.652123


def test_each_channel_is_in_time_order_whatever_the_order_given():
    dn, geometry = observed(3)
    shuffled = np.random.default_rng(5).permutation(9)
    backwards = ephemeris(8).isel(time=slice(None, None, -1))
    expected, _ = packets.build(dn, geometry, ephemeris(8))
    channels, _ = packets.build(dn.isel(sounding=shuffled), geometry, backwards)
    assert channels == expected
    for stream in channels.values():
        times = [time_gps_us(packet) for packet in stream]
        assert times == sorted(times)


def test_sequence_count_is_per_apid_and_wraps():
    channels, sent = built(frames=1, seconds=3, first_sequence_count={packets.SCIENCE: 16_382})
    counts = [header(packet)[1] & 0x3FFF for packet in channels[1]]
    assert counts == [16_382, 16_383, *range(10)]
    attitude = [header(packet) for packet in channels[2] if header(packet)[0] & 0x7FF == packets.ATTITUDE]
    assert [word & 0x3FFF for _, word, *_ in attitude] == [0, 1, 2]
    assert sent["sequence_count"].tolist()[:12] == counts


def test_sent_table_has_a_row_for_each_packet():
    channels, sent = built(frames=2, seconds=5, pass_number=4)
    stream = channels[1] + channels[2]
    columns = "apid sequence_count frame_counter fov band bytes vc header pass"
    assert list(sent) == columns.split()
    assert sent["header"].tolist() == [packet[:16].hex() for packet in stream]
    assert sent["apid"].tolist() == [header(packet)[0] & 0x7FF for packet in stream]
    assert sent["sequence_count"].tolist() == [header(packet)[1] & 0x3FFF for packet in stream]
    assert sent["bytes"].tolist() == [len(packet) for packet in stream]
    assert set(sent["pass"]) == {4}
    science = sent[sent["apid"] == packets.SCIENCE]
    assert len(science.drop_duplicates(["frame_counter", "fov", "band"])) == 24
    assert sent[sent["apid"] == packets.ATTITUDE][["frame_counter", "fov", "band"]].isna().all(axis=None)


def test_housekeeping_follows_its_frame():
    state = packets.Housekeeping(np.array([150.25, 149.5]), 27_990, np.array([0, 3_000_000_000]))
    channels, _ = built(frames=2, seconds=0, housekeeping=state)
    fields = [struct.unpack(">HIBBHHI", packet[14:30]) for packet in channels[2]]
    assert fields == [
        (BOOT, FIRST_FRAME, 1, 0, 15_025, 27_990, 0),
        (BOOT, FIRST_FRAME + 1, 1, 0, 14_950, 27_990, 3_000_000_000),
    ]


def test_attitude_keeps_every_bit_of_the_ephemeris():
    states = ephemeris(2)
    channels, _ = packets.build(*observed(1), states)
    packet = channels[2][0]
    expected = [*states["position"][0].data, *states["velocity"][0].data, *states["quaternion"][0].data]
    assert struct.unpack(">HH10d", packet[14:-2]) == (BOOT, 0, *expected)


def test_attitude_belongs_to_the_boot_of_the_nearest_frame():
    dn, geometry = observed(2)
    later = 10**11 * (np.arange(6) // 3)  # the second frame is of the next boot
    dn["sounding_id"] = dn["sounding_id"] + later
    geometry["sounding_id"] = geometry["sounding_id"] + later
    geometry["time_gps_us"] = geometry["time_gps_us"] + 6_000_000 * (np.arange(6) // 3)
    channels, _ = packets.build(dn, geometry, ephemeris(9))
    told = [packet for packet in channels[2] if header(packet)[0] & 0x7FF == packets.ATTITUDE]
    middle_us = int(geometry["time_gps_us"].mean())
    assert [struct.unpack(">H", packet[14:16])[0] for packet in told] == [
        BOOT + (time_gps_us(packet) > middle_us) for packet in told
    ]


def test_geometry_must_hold_every_sounding():
    dn, geometry = observed(2)
    with pytest.raises(ValueError, match=r"1 missing, first 300000700013"):
        packets.build(dn, geometry.isel(sounding=slice(0, 5)), ephemeris(1))


def test_a_voltage_too_large_for_its_field_is_refused():
    with pytest.raises(ValueError, match=r"voltage in mV must lie in 0\.\.65535"):
        built(housekeeping=packets.Housekeeping(instrument_voltage_mv=65_536))
