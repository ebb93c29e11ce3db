"""Turn a plan into time-tagged telecommand packets and back: CCSDS 133.0-B, secondary header like PUS.

A schedule packet (service 11, subtype 4 of ECSS-E-ST-70-41C: insert into the time-based schedule) carries a
release time and one whole packet of a private service. CRC-16 closes both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from twin import timecodes
from twin.mission.timeline import Activity, Contact, Timeline
from twin.telemetry.packets import SECONDARY_HEADER, SEQUENCE_MODULO, UNSEGMENTED, crc16

SCHEDULER, PAYLOAD = 272, 273  # APIDs of what keeps the schedule and of what executes
TELECOMMAND = 1 << 12  # packet type
PUS_C, ALL_ACKNOWLEDGED = 2, 0b1111  # version, and reports asked for: acceptance, start, progress, completion
SOURCE_ID = 1  # of the control segment (assumption)
SCHEDULE, INSERT = 11, 4  # service, subtype
MISSION, OBSERVE, TRANSMIT = 200, 1, 2  # private service: hold a pointing and expose; X-band on
MODE_CODES = {"nadir": 0, "glint": 1, "target": 2, "city": 3, "dark": 4, "lamp": 5, "sun": 6}
NAME_BYTES = 255  # most of a request's or station's name

_PRIMARY = struct.Struct(">HHH")
_SECONDARY = struct.Struct(">BBBH")
_RELEASE = struct.Struct(">BHIH")  # number of commands (1), CDS in UTC: day, ms of day, us of ms
_OBSERVE = struct.Struct(
    ">QQBBBddB"
)  # start and end GPS us, mode, sweeps, has a site, latitude, longitude, name
_TRANSMIT = struct.Struct(">QQdB")  # start and end GPS us, highest elevation deg, length of the name


def encode(plan: Timeline) -> list[bytes]:
    """Make a schedule packet of each activity and X-band contact, in order of release."""
    told: list[Activity | Contact] = [*plan.activities, *(one for one in plan.contacts if one.band == "x")]
    return [_scheduled(command, number) for number, command in enumerate(sorted(told, key=_start_us))]


def decode(stream: bytes) -> tuple[tuple[Activity, ...], tuple[Contact, ...]]:
    """Return the activities and X-band contacts of packets one after the other; refuse a damaged one."""
    told = [_released(packet) for packet in split(stream)]
    return (
        tuple(command for command in told if isinstance(command, Activity)),
        tuple(command for command in told if isinstance(command, Contact)),
    )


def split(stream: bytes) -> Iterator[bytes]:
    """Cut a stream into its packets."""
    at = 0
    while at < len(stream):
        end = at + 7 + int.from_bytes(stream[at + 4 : at + 6], "big")
        if len(stream) < at + 6 or len(stream) < end:
            raise ValueError(f"expected whole packets, got one cut at byte {at}: send the file anew")
        yield stream[at:end]
        at = end


def _start_us(command: Activity | Contact) -> int:
    return command.start_us if isinstance(command, Activity) else command.aos_us


def _scheduled(command: Activity | Contact, number: int) -> bytes:
    days, ms, us = timecodes.cds(_start_us(command))
    subtype, data = (
        (OBSERVE, _observe(command)) if isinstance(command, Activity) else (TRANSMIT, _transmit(command))
    )
    inner = _packet(PAYLOAD, number, (MISSION, subtype), data)
    return _packet(SCHEDULER, number, (SCHEDULE, INSERT), _RELEASE.pack(1, days, ms, us) + inner)


def _observe(command: Activity) -> bytes:
    if command.mode not in MODE_CODES:
        raise ValueError(f"expected a mode of {', '.join(MODE_CODES)}, got {command.mode}: correct the plan")
    site = command.latitude_deg, command.longitude_deg
    has_site = None not in site
    fixed = _OBSERVE.pack(
        command.start_us,
        command.end_us,
        MODE_CODES[command.mode],
        command.sweeps or 0,
        has_site,
        *(site if has_site else (0.0, 0.0)),
        len(_name(command.request)),
    )
    return fixed + _name(command.request)


def _transmit(command: Contact) -> bytes:
    name = _name(command.station)
    return _TRANSMIT.pack(command.aos_us, command.los_us, command.highest_deg, len(name)) + name


def _name(text: str) -> bytes:
    octets = text.encode()
    if len(octets) > NAME_BYTES:
        raise ValueError(
            f"expected a name of up to {NAME_BYTES} bytes, got {len(octets)}: shorten {text[:20]}.."
        )
    return octets


def _packet(apid: int, number: int, service: tuple[int, int], data: bytes) -> bytes:
    """Put headers before the data and the checksum behind."""
    secondary = _SECONDARY.pack(PUS_C << 4 | ALL_ACKNOWLEDGED, *service, SOURCE_ID)
    body = secondary + data
    primary = _PRIMARY.pack(
        TELECOMMAND | SECONDARY_HEADER | apid, UNSEGMENTED | number % SEQUENCE_MODULO, len(body) + 2 - 1
    )
    return primary + body + _crc(primary + body).to_bytes(2, "big")


def _crc(octets: bytes) -> int:
    return int(crc16(np.frombuffer(octets, np.uint8)[None])[0])


def _opened(packet: bytes, apid: int, service: int) -> tuple[int, bytes]:
    """Return subtype and data of a packet, once headers and checksum are what they must be."""
    if len(packet) < _PRIMARY.size + _SECONDARY.size + 2 or _crc(packet):
        raise ValueError("expected a packet with a right checksum, got a damaged one: send it anew")
    identification, _, _ = _PRIMARY.unpack_from(packet)
    version, got_service, subtype, _ = _SECONDARY.unpack_from(packet, _PRIMARY.size)
    wanted = (TELECOMMAND | SECONDARY_HEADER | apid, PUS_C, service)
    if (got := (identification, version >> 4, got_service)) != wanted:
        raise ValueError(
            f"expected identification, version and service {wanted}, got {got}: not a plan's command"
        )
    return subtype, packet[_PRIMARY.size + _SECONDARY.size : -2]


def _released(packet: bytes) -> Activity | Contact:
    """Take the command out of its schedule packet."""
    _, data = _opened(packet, SCHEDULER, SCHEDULE)
    _, *release = _RELEASE.unpack_from(data)
    subtype, inner = _opened(data[_RELEASE.size :], PAYLOAD, MISSION)
    if subtype not in (OBSERVE, TRANSMIT):
        raise ValueError(f"expected subtype {OBSERVE} or {TRANSMIT} of service {MISSION}, got {subtype}")
    command = _activity(inner) if subtype == OBSERVE else _contact(inner)
    if release != list(timecodes.cds(_start_us(command))):
        raise ValueError("expected a release at the command's own start, got another: make the plan anew")
    return command


def _activity(data: bytes) -> Activity:
    start_us, end_us, mode, sweeps, has_site, latitude, longitude, length = _OBSERVE.unpack_from(data)
    names = {code: name for name, code in MODE_CODES.items()}
    if mode not in names:
        raise ValueError(f"expected a mode of 0 to {max(names)}, got {mode}: not a plan's command")
    name = _text(data, _OBSERVE.size, length)
    latitude_deg, longitude_deg = (latitude, longitude) if has_site else (None, None)
    return Activity(start_us, end_us, names[mode], name, latitude_deg, longitude_deg, sweeps or None)


def _contact(data: bytes) -> Contact:
    aos_us, los_us, highest_deg, length = _TRANSMIT.unpack_from(data)
    return Contact(_text(data, _TRANSMIT.size, length), "x", aos_us, los_us, highest_deg)


def _text(data: bytes, at: int, length: int) -> str:
    if len(data) != at + length:
        raise ValueError(
            f"expected {at + length} bytes of command data, got {len(data)}: not a plan's command"
        )
    return data[at:].decode()
