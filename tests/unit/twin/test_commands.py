"""Command packets: read by an independent PUS reader, recovered exactly, refused when damaged."""

import math

import pytest
from spacepackets.ccsds import CdsShortTimestamp, PacketType
from spacepackets.ecss.tc import PusTc

from twin.mission.timeline import Activity, Contact, Timeline
from twin.telemetry import commands

NOON_US = 1_467_028_818_000_000  # GPS us of 2026-07-02T12:00:00Z: 18 s ahead of UTC
GOLDEN = (
    "1910c0000045"  # telecommand with secondary header, APID 272; unsegmented, count 0; 70 octets follow
    "2f0b040001"  # version 2, all acknowledgements; [11,4]; source 1
    "0161bb02932e000001"  # one command, day 25019, 43 200 000 ms, 1 us
)
ACTIVITIES = (
    Activity(NOON_US + 1, NOON_US + 2_608_001, "target", "ny_al", -78.9 / 3, math.pi),
    Activity(NOON_US + 10**9, NOON_US + 2 * 10**9, "city", "Köln", 50.9, -180.0, 3),
    Activity(NOON_US + 3 * 10**9, NOON_US + 4 * 10**9, "nadir"),
    Activity(NOON_US + 5 * 10**9, NOON_US + 6 * 10**9, "dark", "d" * 255),
)
CONTACTS = (
    Contact("Kiruna", "x", NOON_US + 500, NOON_US + 10**8, 5.000000001),
    Contact("Kourou", "s", NOON_US + 500, NOON_US + 10**8, 45.0),
)


def plan(activities=ACTIVITIES, contacts=CONTACTS) -> Timeline:
    return Timeline(NOON_US, NOON_US + 10**10, tuple(activities), tuple(contacts), (), "greedy", 0.0)


def test_a_plan_is_recovered_exactly():
    stream = b"".join(commands.encode(plan()))
    assert commands.decode(stream) == (ACTIVITIES, CONTACTS[:1])
    assert commands.decode(b"") == ((), ())


def test_first_octets_are_those_of_the_standards():
    packet = commands.encode(plan(ACTIVITIES[:1], ()))[0]
    assert packet[:20].hex() == GOLDEN
    assert len(packet) == 0x45 + 7


def test_an_independent_reader_sees_the_same_commands():
    packets = commands.encode(plan())
    for number, (packet, start_us) in enumerate(
        zip(packets, [NOON_US + 1, NOON_US + 500, *(one.start_us for one in ACTIVITIES[1:])], strict=True)
    ):
        outer = PusTc.unpack(packet)  # checks the checksum
        assert outer.sp_header.packet_type == PacketType.TC
        assert (outer.apid, outer.service, outer.seq_count) == (commands.SCHEDULER, 11, number)
        assert packet[8] == 4
        release = CdsShortTimestamp.unpack(b"\x40" + outer.app_data[1:7])
        seconds = (start_us - NOON_US) // 1000 / 1000
        assert release.as_unix_seconds() == pytest.approx(1_782_993_600 + seconds, abs=1e-3)
        inner = PusTc.unpack(outer.app_data[9:])
        assert (inner.apid, inner.service, inner.seq_count) == (commands.PAYLOAD, 200, number)
        assert inner.pus_tc_sec_header.source_id == commands.SOURCE_ID
        assert inner.pus_tc_sec_header.ack_flags == 0b1111


def test_every_flipped_bit_is_noticed():
    packet = commands.encode(plan(ACTIVITIES[:1], ()))[0]
    for bit in range(8 * len(packet)):
        damaged = bytearray(packet)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="expected"):
            commands.decode(bytes(damaged))


@pytest.mark.parametrize("kept", [1, 6, 50])
def test_a_cut_stream_is_refused(kept):
    packet = commands.encode(plan(ACTIVITIES[:1], ()))[0]
    with pytest.raises(ValueError, match=f"cut at byte {len(packet)}"):
        commands.decode(packet + packet[:kept])


def test_limits_of_names_and_sequence():
    longest = Activity(NOON_US, NOON_US + 1, "dark", "n" * 255)
    assert commands.decode(commands.encode(plan([longest], ()))[0])[0] == (longest,)
    with pytest.raises(ValueError, match="name of up to 255 bytes, got 256"):
        commands.encode(plan([Activity(NOON_US, NOON_US + 1, "dark", "n" * 256)], ()))
    with pytest.raises(ValueError, match="expected a mode of nadir, glint"):
        commands.encode(plan([Activity(NOON_US, NOON_US + 1, "moon")], ()))
    many = [Activity(NOON_US + k, NOON_US + k + 1, "nadir") for k in range(2**14 + 1)]
    packets = commands.encode(plan(many, ()))
    counts = [int.from_bytes(packet[2:4], "big") & 0x3FFF for packet in packets[-2:]]
    assert counts == [2**14 - 1, 0]


def test_a_packet_of_another_kind_is_refused():
    other = PusTc(service=17, message_subtype=1, apid=commands.SCHEDULER, seq_count=0).pack()
    with pytest.raises(ValueError, match="not a plan's command"):
        commands.decode(bytes(other))
