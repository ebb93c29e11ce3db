"""Turn packet time codes (CDS, UTC) into seconds on the scales the geometry needs."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from processors.job import BadInput

DAY_S = 86_400
UNIX_DAYS = 4_383  # days from 1958-01-01 (CDS epoch) to 1970-01-01
TT_MINUS_GPS_S = 51.184  # s, TT - TAI = 32.184 (IAU 1991), TAI - GPS = 19 (IS-GPS-200)
COLUMNS = ("utc_start", "gps_minus_utc_s")


def utc_seconds(days: np.ndarray, ms: np.ndarray, us: np.ndarray) -> np.ndarray:
    """Return seconds since 1970-01-01T00:00:00Z, leap seconds not counted.

    days  since 1958-01-01;  ms  of day;  us  of millisecond
    """
    return (days - UNIX_DAYS) * float(DAY_S) + (ms * 1000 + us) * 1e-6


class LeapSeconds:
    """GPS minus UTC by date.

    start  (row)  seconds since 1970, UTC, ascending;  offset  (row)  s
    """

    def __init__(self, start: np.ndarray, offset: np.ndarray) -> None:
        self.start, self.offset = start, offset

    @classmethod
    def read(cls, path: Path) -> LeapSeconds:
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(line for line in file if not line.startswith("#"))
                pairs = sorted((_utc(row[COLUMNS[0]]), float(row[COLUMNS[1]])) for row in rows)
        except OSError as error:
            raise BadInput(
                f"{path}: expected the leap seconds, got {error.strerror}: check the path"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"{path}: expected the columns {','.join(COLUMNS)}, got {error!r}: correct the file"
            ) from error
        if not pairs:
            raise BadInput(f"{path}: expected one row or more, got none: fetch it again")
        start, offset = np.array(pairs).T
        return cls(start, offset)

    def gps_minus_utc(self, utc: np.ndarray) -> np.ndarray:
        """Return s at seconds since 1970, UTC; before the first row its value."""
        return self.offset[np.maximum(np.searchsorted(self.start, utc, side="right") - 1, 0)]

    def continuous(self, days: np.ndarray, ms: np.ndarray, us: np.ndarray) -> np.ndarray:
        """Return the time code on a scale without jumps: GPS time, as seconds since 1970-01-01 of that scale.

        The offset is that of the start of the day, so that the leap second itself (ms >= 86 400 000) fits in.
        """
        midnight = utc_seconds(days, np.zeros_like(ms), np.zeros_like(us))
        return utc_seconds(days, ms, us) + self.gps_minus_utc(midnight)


def _utc(text: str) -> float:
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
