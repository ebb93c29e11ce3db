"""Time codes against the calendar, skyfield's leap seconds and the edges of a leap second."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyfield.api import load

from twin import timecodes

SECOND = 1_000_000  # us
SCENARIO_START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)


def test_an_inserted_leap_second_ends_the_day_before():
    """2016-12-31T23:59:60 UTC: GPS - UTC was 17 s before it and 18 s after it."""
    midnight = timecodes.gps_us(datetime(2017, 1, 1, tzinfo=UTC))
    moments = midnight + np.array([-1_500_000, -1_000_000, -500_000, -1, 0])
    days, ms, us = timecodes.cds(moments)
    day = (datetime(2016, 12, 31) - datetime(1958, 1, 1)).days
    assert days.tolist() == [day] * 4 + [day + 1]
    assert ms.tolist() == [86_399_500, 86_400_000, 86_400_500, 86_400_999, 0]
    assert us.tolist() == [0, 0, 0, 999, 0]
    assert timecodes.cds(int(moments[2])) == (day, 86_400_500, 0)


def test_gps_runs_18_seconds_ahead_of_utc_in_2026():
    since_epoch = int((SCENARIO_START - datetime(1980, 1, 6, tzinfo=UTC)).total_seconds())
    assert timecodes.gps_us(SCENARIO_START) == (since_epoch + 18) * SECOND


def test_leap_seconds_equal_skyfields_table():
    scale = load.timescale(builtin=True)
    ours = [(day, value) for day, value in timecodes.LEAP_SECONDS if value > 0]
    steps = list(zip(scale.leap_dates, np.asarray(scale.leap_offsets), strict=False))
    theirs = []
    for jd, tai_minus_utc in steps:
        year, month, day, *_ = scale.tt_jd(jd + 0.5).tt_calendar()
        if (year, month) > (1980, 1):
            theirs.append((f"{year}-{month:02d}-{day:02d}", int(tai_minus_utc) - 19))
    assert ours == theirs


def test_unix_time_repeats_the_inserted_second_and_nothing_else():
    midnight = timecodes.gps_us(datetime(2017, 1, 1, tzinfo=UTC))
    unix_midnight = 1_483_228_800 * SECOND
    assert timecodes.unix_us(midnight) == unix_midnight
    assert timecodes.unix_us(midnight - 1) == unix_midnight + SECOND - 1  # the end of 23:59:60
    assert timecodes.unix_us(midnight - SECOND) == unix_midnight
    assert timecodes.unix_us(midnight - SECOND - 1) == unix_midnight - 1


@given(st.datetimes(datetime(1980, 1, 6), datetime(2099, 1, 1)))
def test_utc_survives_the_way_through_gps_time(moment):
    aware = moment.replace(tzinfo=UTC)
    assert timecodes.utc(timecodes.gps_us(aware)) == aware


@given(st.datetimes(datetime(2017, 1, 1), datetime(2099, 1, 1)))
def test_cds_counts_days_milliseconds_and_microseconds_of_utc(moment):
    days, ms, us = timecodes.cds(timecodes.gps_us(moment))
    assert days == (moment.date() - date(1958, 1, 1)).days
    of_day = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
    assert timedelta(milliseconds=int(ms), microseconds=int(us)) == of_day + timedelta(
        microseconds=moment.microsecond
    )
    assert 0 <= us < 1000


def test_arrays_keep_their_integers():
    times = timecodes.gps_us(SCENARIO_START) + np.arange(3, dtype=np.int64)
    days, ms, us = timecodes.cds(times)
    assert days.dtype == ms.dtype == us.dtype == np.int64
    assert us.tolist() == [0, 1, 2]
    assert timecodes.unix_seconds(times)[0] == SCENARIO_START.timestamp()
    assert timecodes.utc_iso(int(times[1])) == "2026-07-01T20:40:00.000001Z"


def test_times_before_gps_time_are_refused():
    with pytest.raises(ValueError, match="1980"):
        timecodes.gps_us(datetime(1980, 1, 5, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(ValueError, match="1980"):
        timecodes.unix_us(-1)
    assert timecodes.gps_us(datetime(1980, 1, 6, tzinfo=UTC)) == 0
