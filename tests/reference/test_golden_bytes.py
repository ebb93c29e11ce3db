"""Packets and frames as independent packages read them: space-packet-parser, ccsdspy, spacepackets."""

import io
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ccsdspy
import numpy as np
import pytest
import space_packet_parser
import xarray as xr
from ccsdspy import PacketArray, PacketField
from ccsdspy.utils import split_by_apid
from spacepackets.ccsds import SpacePacketHeader
from spacepackets.ccsds.time import CdsShortTimestamp
from spacepackets.ccsds.tm_frame import TmTransferFrame

from twin import timecodes
from twin.telemetry import frames, packets

ICD = Path(__file__).parents[2] / "processors" / "icd" / "packets.xml"
FIRST_UTC = datetime(2026, 7, 1, 23, 59, 59, 652_123, tzinfo=UTC)  # the next frame falls on the next day
FRAMES, SECONDS = 3, 4
BOOT, FIRST_FRAME = 3, 70_000

# Housekeeping of the second frame, written out by hand from the packet layout
HOUSEKEEPING_GOLDEN = bytes.fromhex(
    "0901 c001 0019"  # APID 257 with secondary header, unsegmented count 1, 26 octets follow
    "61bb 000003bc 007b"  # 2026-07-02 is day 25019 of 1958; 956 ms; 123 us
    "0003 00011171 01 00"  # boot 3, frame 70001, glint, spare
    "3a98 6d60 00000000"  # 150.00 K, 28000 mV, 0 kbit
)


@pytest.fixture(scope="module")
def truth():
    """Row sums (sounding, band, spectel) and ephemeris that go into the packets."""
    rng = np.random.default_rng(11)
    return {
        "row_sums": rng.integers(0, 1 << 20, (3 * FRAMES, 4, 1024), dtype=np.int32),
        "position": rng.normal(0, 7e6, (SECONDS, 3)),
        "velocity": rng.normal(0, 7e3, (SECONDS, 3)),
        "quaternion": rng.normal(0, 0.5, (SECONDS, 4)),
    }


@pytest.fixture(scope="module")
def channels(truth):
    frame = np.repeat(np.arange(FRAMES), 3)
    sounding_id = BOOT * 10**11 + (FIRST_FRAME + frame) * 10 + np.tile([1, 2, 3], FRAMES)
    first_us = timecodes.gps_us(FIRST_UTC)
    dn = xr.Dataset(
        {
            "sounding_id": ("sounding", sounding_id),
            "dn": (("sounding", "band", "spectel"), truth["row_sums"]),
            "saturated_rows": (("sounding", "band"), np.ones((3 * FRAMES, 4), np.int16)),
        }
    )
    geometry = xr.Dataset(
        {
            "sounding_id": ("sounding", sounding_id),
            "time_gps_us": ("sounding", first_us + frame * 1_304_000),
            "operation_mode": ("sounding", np.ones(3 * FRAMES, np.int8)),
        }
    )
    ephemeris = xr.Dataset(
        {name: (("time", name), truth[name]) for name in ("position", "velocity", "quaternion")},
        coords={"time_gps_us": ("time", first_us + np.arange(SECONDS) * 1_000_000)},
    )
    return packets.build(dn, geometry, ephemeris)[0]


@pytest.fixture(scope="module")
def parsed(channels):
    """Every packet read by space-packet-parser from the interface document."""
    definition = space_packet_parser.load_xtce(ICD)
    stream = io.BytesIO(b"".join(channels[1] + channels[2]))
    return [definition.parse_bytes(packet) for packet in space_packet_parser.ccsds_generator(stream)]


def of(parsed, apid):
    return [packet for packet in parsed if packet["apid"] == apid]


def column(parsed, apid, name):
    return [packet[name].raw_value for packet in of(parsed, apid)]


def test_interface_document_is_valid_xtce():
    result = space_packet_parser.validate_xtce(ICD)
    assert result.valid, str(result)


def test_housekeeping_packet_written_by_hand(channels):
    housekeeping = [packet for packet in channels[2] if len(packet) == 32]
    assert housekeeping[1][:-2] == HOUSEKEEPING_GOLDEN


def test_science_packet_head_written_by_hand(channels):
    head = "0900 c000 0a17 61ba 05265aa4 007b 0003 00011170 01 00 01 01 3a98 0000"
    assert channels[1][0][:28] == bytes.fromhex(head)


def test_space_packet_parser_reads_the_row_sums(truth, parsed):
    science = of(parsed, 256)
    names = [f"dn_{spectel:04d}" for spectel in range(1024)]
    read = np.array([[packet[name].raw_value for name in names] for packet in science])
    assert (read.reshape(3 * FRAMES, 4, 1024) == truth["row_sums"]).all()
    assert column(parsed, 256, "fov") == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3] * FRAMES
    assert column(parsed, 256, "band") == [0, 1, 2, 3] * 3 * FRAMES
    assert column(parsed, 256, "frame_counter") == np.repeat(FIRST_FRAME + np.arange(FRAMES), 12).tolist()
    assert set(column(parsed, 256, "saturated_rows_flag")) == {1}
    assert column(parsed, 256, "sequence_count") == list(range(12 * FRAMES))


def test_space_packet_parser_reads_housekeeping_in_its_units(parsed):
    housekeeping = of(parsed, 257)
    assert [float(packet["detector_temperature"]) for packet in housekeeping] == [150.0] * FRAMES
    assert column(parsed, 257, "instrument_voltage") == [28_000] * FRAMES
    assert column(parsed, 257, "operation_mode") == [1] * FRAMES


def test_space_packet_parser_reads_the_ephemeris(truth, parsed):
    for name, axes in (("position", "xyz"), ("velocity", "xyz"), ("quaternion", "xyzw")):
        read = [[packet[f"{name}_{axis}"].raw_value for axis in axes] for packet in of(parsed, 258)]
        assert (np.array(read) == truth[name]).all()


def test_space_packet_parser_accounts_for_every_bit(channels, parsed):
    """The document describes whole packets: nothing is left over behind the checksum."""
    stream = channels[1] + channels[2]
    assert len(parsed) == len(stream)
    for packet, octets in zip(parsed, stream, strict=True):
        assert packet["crc"].raw_value == struct.unpack(">H", octets[-2:])[0]
        assert packet["data_length"].raw_value + 7 == len(octets)


def test_space_packet_parser_reads_the_idle_packet():
    cadus = frames.encode([b"\x01\x00\xc0\x00\x00\x03abcd"], vcid=1)
    stream = (np.frombuffer(cadus, np.uint8)[4:1119] ^ frames.randomiser(1115))[6:-2].tobytes()
    definition = space_packet_parser.load_xtce(ICD)
    idle = definition.parse_bytes(stream[10:])
    assert idle["apid"] == 2047
    assert idle["idle_data"] == b"\x55" * (1107 - 10 - 6)


def test_ccsdspy_reads_the_row_sums(truth, channels):
    science = ccsdspy.FixedLength(
        [
            PacketField("days", "uint", 16),
            PacketField("ms_of_day", "uint", 32),
            PacketField("us_of_ms", "uint", 16),
            PacketField("boot_count", "uint", 16),
            PacketField("frame_counter", "uint", 32),
            PacketField("fov", "uint", 8),
            PacketField("band", "uint", 8),
            PacketField("operation_mode", "uint", 8),
            PacketField("saturated_rows_flag", "uint", 8),
            PacketField("detector_temperature", "uint", 16),
            PacketField("spare", "uint", 16),
            PacketArray(name="dn", data_type="uint", bit_length=20, array_shape=1024),
            PacketField("crc", "uint", 16),
        ]
    )
    read = science.load(io.BytesIO(b"".join(channels[1])), include_primary_header=True)
    assert (read["dn"].reshape(3 * FRAMES, 4, 1024) == truth["row_sums"]).all()
    assert read["CCSDS_SEQUENCE_COUNT"].tolist() == list(range(12 * FRAMES))
    assert read["fov"].tolist() == np.tile(np.repeat([1, 2, 3], 4), FRAMES).tolist()
    assert set(read["detector_temperature"]) == {15_000}
    seconds = (read["days"].astype(int) - 25_018) * 86_400 + read["ms_of_day"] / 1e3 - 86_399.652
    assert seconds == pytest.approx(np.repeat(np.arange(FRAMES), 12) * 1.304, abs=1e-9)
    assert set(read["us_of_ms"]) == {123}


def test_ccsdspy_reads_the_ephemeris(truth, channels):
    streams = split_by_apid(io.BytesIO(b"".join(channels[2])))
    assert sorted(streams) == [257, 258]
    attitude = ccsdspy.FixedLength(
        [
            PacketArray(name="head", data_type="uint", bit_length=16, array_shape=6),
            PacketArray(name="state", data_type="float", bit_length=64, array_shape=10),
            PacketField("crc", "uint", 16),
        ]
    )
    state = attitude.load(streams[258])["state"]
    assert (state == np.hstack([truth["position"], truth["velocity"], truth["quaternion"]])).all()


def test_spacepackets_reads_the_headers(channels):
    for packet in channels[1] + channels[2]:
        header = SpacePacketHeader.unpack(packet)
        assert header.ccsds_version == 0
        assert header.packet_type == 0
        assert header.sec_header_flag
        assert header.seq_flags == 3
        assert header.packet_len == len(packet)
        assert header.pack() == packet[:6]


def test_spacepackets_reads_the_time(channels):
    """Its stamp has no microseconds: days and milliseconds are compared, truncated as CDS asks."""
    for packet in channels[1]:
        stamp = CdsShortTimestamp.unpack(b"\x40" + packet[6:12])  # our packets omit the constant P-field
        frame = struct.unpack(">I", packet[16:20])[0] - FIRST_FRAME
        exact = FIRST_UTC + frame * timedelta(microseconds=1_304_000)
        assert abs(stamp.as_datetime() + timedelta(microseconds=123) - exact) <= timedelta(microseconds=1)


@pytest.mark.parametrize("vcid", [1, 2])
def test_spacepackets_reads_the_frames(channels, vcid):
    """TmTransferFrame checks the error control itself and raises on a wrong one."""
    cadus = np.frombuffer(frames.encode(channels[vcid], vcid), np.uint8).reshape(-1, 1279)
    stream = b""
    for number, cadu in enumerate(cadus):
        octets = (cadu[4:1119] ^ frames.randomiser(1115)).tobytes()
        frame = TmTransferFrame.unpack(octets, 1115, has_error_control_field=True)
        header = frame.primary_header
        assert header.master_channel_id.transfer_frame_version == 0
        assert header.master_channel_id.spacecraft_id == 0x2C5
        assert (header.vc_id, header.ocf_flag) == (vcid, False)
        assert (header.master_ch_frame_count, header.vc_frame_count) == (number % 256, number % 256)
        status = header.frame_datafield_status
        assert (status.secondary_header_flag, status.sync_flag, status.packet_order_flag) == (False,) * 3
        assert status.segment_len_id == 3
        assert frame.pack() == octets
        stream += frame.data_field
    sent = b"".join(channels[vcid])
    assert stream[: len(sent)] == sent
