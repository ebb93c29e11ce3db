"""Turn integer GPS microseconds into UTC, Unix and CDS time codes and back."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)  # GPS time 0 (IS-GPS-200)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CDS_EPOCH = datetime(1958, 1, 1, tzinfo=UTC)  # CCSDS 301.0-B, agency epoch not used
DAY_US = 86_400_000_000  # us
LEAP_US = 1_000_000  # us
GPS_EPOCH_UNIX_US = 315_964_800_000_000  # us, from the two epochs above
CDS_TO_UNIX_DAYS = (UNIX_EPOCH - CDS_EPOCH).days  # d

# UTC start of each GPS - UTC value in s (IERS Bulletin C; TAI - UTC minus 19 s)
LEAP_SECONDS: tuple[tuple[str, int], ...] = (
    ("1980-01-06", 0),
    ("1981-07-01", 1),
    ("1982-07-01", 2),
    ("1983-07-01", 3),
    ("1985-07-01", 4),
    ("1988-01-01", 5),
    ("1990-01-01", 6),
    ("1991-01-01", 7),
    ("1992-07-01", 8),
    ("1993-07-01", 9),
    ("1994-07-01", 10),
    ("1996-01-01", 11),
    ("1997-07-01", 12),
    ("1999-01-01", 13),
    ("2006-01-01", 14),
    ("2009-01-01", 15),
    ("2012-07-01", 16),
    ("2015-07-01", 17),
    ("2017-01-01", 18),
)
_START_UNIX_US = [
    (datetime.fromisoformat(day).replace(tzinfo=UTC) - UNIX_EPOCH) // timedelta(microseconds=1)
    for day, _ in LEAP_SECONDS
]
_OFFSET_US = [offset * 1_000_000 for _, offset in LEAP_SECONDS]
_START_GPS_US = [
    start - GPS_EPOCH_UNIX_US + offset for start, offset in zip(_START_UNIX_US, _OFFSET_US, strict=True)
]


def gps_us(utc: datetime) -> int:
    """Count GPS microseconds since 1980-01-06 at a UTC date (aware, or taken as UTC)."""
    aware = utc if utc.tzinfo else utc.replace(tzinfo=UTC)
    unix_us = (aware - UNIX_EPOCH) // timedelta(microseconds=1)
    if unix_us < GPS_EPOCH_UNIX_US:
        raise ValueError(f"expected a date after 1980-01-06, got {utc.isoformat()}: GPS time begins there")
    return unix_us - GPS_EPOCH_UNIX_US + _OFFSET_US[bisect_right(_START_UNIX_US, unix_us) - 1]


def unix_us(time_gps_us: Any) -> Any:
    """Turn GPS microseconds (int or int64 array) into UTC microseconds since 1970, leap seconds not counted.

    During an inserted leap second the value repeats the second that follows it, as POSIX time does.
    """
    times = np.asarray(time_gps_us, dtype=np.int64)
    index = np.searchsorted(np.array(_START_GPS_US), times, side="right") - 1
    if np.any(index < 0):
        raise ValueError("expected GPS microseconds of 0 or more: GPS time begins 1980-01-06")
    result = times + GPS_EPOCH_UNIX_US - np.array(_OFFSET_US)[index]
    return int(result) if result.ndim == 0 else result


def unix_seconds(time_gps_us: Any) -> Any:
    """Turn GPS microseconds into float64 seconds since 1970-01-01T00:00:00Z (0.2 us resolution)."""
    return unix_us(time_gps_us) / 1e6


def utc(time_gps_us: int) -> datetime:
    return UNIX_EPOCH + timedelta(microseconds=unix_us(time_gps_us))


def utc_iso(time_gps_us: int) -> str:
    """Write UTC as 2026-07-01T20:40:00.652000Z."""
    return utc(time_gps_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_texts(times_gps_us: np.ndarray) -> list[str]:
    """Write many times (n,) int64 as `utc_iso` does, a hundred times as fast."""
    texts = np.datetime_as_string(unix_us(np.asarray(times_gps_us)).astype("datetime64[us]"), unit="us")
    return [f"{text}Z" for text in texts.tolist()]


def cds(time_gps_us: Any) -> tuple[Any, Any, Any]:
    """Split into CDS UTC: days since 1958-01-01, ms of day, us of ms (CCSDS 301.0-B-4, 3.3), all integers.

    An inserted leap second belongs to the day before: its ms of day are 86 400 000 and more.
    """
    unix = unix_us(time_gps_us)
    inserted = np.asarray(unix_us(np.asarray(time_gps_us, dtype=np.int64) + LEAP_US)) == unix
    days, of_day = np.divmod(unix, DAY_US)
    days, of_day = days - inserted, of_day + DAY_US * inserted
    ms, us = np.divmod(of_day, 1000)
    return days + CDS_TO_UNIX_DAYS, ms, us
