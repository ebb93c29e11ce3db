"""Which stamps of a clock are trusted, which modes and bands are doubted: closed cases on both sides."""

from __future__ import annotations

import numpy as np
import pytest

from processors.l1a import clock, decommutate, doubts

PERIOD_S = 1.304
RIGHT, WRONG, UNKNOWN = 0.0, 3600.0, np.nan  # s, of the clock at the pass


def stamps(count: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, boots and counts of frames one after the other."""
    number = np.arange(count)
    return 100.0 + PERIOD_S * number, np.ones(count, int), number


def first(time, boot, count, offset) -> int:
    return clock.first_suspect(time, boot, count, PERIOD_S, offset)


@pytest.mark.parametrize("offset", [RIGHT, UNKNOWN])
def test_a_right_clock_is_trusted_with_its_pauses(offset):
    time, boot, count = stamps()
    time[4:] += 13.0  # the turn between two sweeps
    assert first(time, boot, count, offset) == time.size


@pytest.mark.parametrize(("offset", "trusted"), [(RIGHT, 0), (UNKNOWN, 0), (-10.0, 5), (WRONG, 0)])
def test_time_that_runs_back_was_wrong_before_unless_the_clock_still_is_by_as_much(offset, trusted):
    time, boot, count = stamps()
    time[5:] -= 10.0
    assert first(time, boot, count, offset) == trusted


@pytest.mark.parametrize("offset", [0.5, -0.5, 10.0, WRONG])
def test_a_clock_that_failed_before_the_first_stamp_is_not_excused_by_a_pause(offset):
    time, boot, count = stamps()
    time[4:] += 13.0
    assert first(time, boot, count, offset) == 0


def test_a_jump_is_found_behind_a_pause_and_within_one():
    time, boot, count = stamps()
    time[3:] += 13.0
    time[5:] += WRONG
    assert first(time, boot, count, WRONG) == 5
    time, boot, count = stamps()
    time[5:] += WRONG + 13.0
    assert first(time, boot, count, WRONG) == 5


def test_a_drift_that_had_begun_before_leaves_no_stamp_to_trust():
    time, boot, count = stamps()
    time += 0.02 * PERIOD_S * np.arange(time.size)
    assert first(time, boot, count, 72.0) == 0


def test_a_jump_over_leap_seconds_is_known_by_the_offset_in_utc():
    time, boot, count = stamps()
    time[5:] -= 1e9
    leap = np.where(np.arange(8) < 5, 18.0, 0.0)
    assert clock.first_suspect(time, boot, count, PERIOD_S, 18.0 - 1e9, leap) == 5
    assert first(time, boot, count, 18.0 - 1e9) == 0


def test_a_drift_that_begins_in_a_pause_is_found():
    time, boot, count = stamps()
    time[5:] += 13.0 + 0.02 * PERIOD_S * np.arange(1, 4)
    assert first(time, boot, count, 72.0) == 4


def test_a_drift_is_found_behind_a_pause():
    time, boot, count = stamps()
    time[3:] += 13.0
    time[6:] += 0.02 * PERIOD_S * np.arange(1, 3)
    assert first(time, boot, count, 72.0) == 5


def test_with_a_wrong_clock_the_step_of_its_size_is_where_it_failed():
    time, boot, count = stamps()
    time[3:] += 3600.0
    assert first(time, boot, count, WRONG) == 3
    assert first(time, boot, count, RIGHT) == time.size  # a pause of an hour


def test_a_wrong_clock_that_never_stepped_was_wrong_before():
    assert first(*stamps(), WRONG) == 0


def test_a_pause_before_a_pass_with_a_wrong_clock_is_no_sign_that_it_was_right_before():
    time, boot, count = stamps()
    time[4:] += 20.0  # the turn between two activities of a mission
    assert first(time, boot, count, 2.0) == 0
    time[6:] += 2.0  # the jump, seen within the second: what was stamped before it is right
    assert first(time, boot, count, 2.0) == 6


def test_a_clock_that_drifts_from_the_first_stamp_on_was_wrong_before():
    time, boot, count = stamps()
    time += 0.005 * (time - time[0])
    assert first(time, boot, count, 50.0) == 0


def test_a_drifting_clock_is_doubted_from_the_stamp_before_its_first_long_second():
    time, boot, count = stamps()
    time[3] += 0.9 * clock.STEP_LIMIT_S
    time[4:] += 0.02 * PERIOD_S * np.arange(1, 5)
    assert first(time, boot, count, 72.0) == 3


def test_the_limit_of_the_offset_in_a_pair():
    assert first(*stamps(), clock.OFFSET_LIMIT_S) == 8
    assert first(*stamps(), np.nextafter(clock.OFFSET_LIMIT_S, 1.0)) == 0


def test_a_reboot_begins_the_counts_again_without_a_doubt():
    time, boot, count = stamps()
    boot[4:], count[4:] = 2, np.arange(4)
    assert first(time, boot, count, RIGHT) == time.size
    time[4:] -= 50.0
    assert first(time, boot, count, RIGHT) == 0


def test_lost_frames_need_their_time():
    time, boot, count = stamps()
    keep = [0, 1, 5, 6]
    assert first(time[keep], boot[keep], count[keep], RIGHT) == 4
    assert first(time[:4], boot[keep], count[keep], RIGHT) == 0


def test_counts_continue_past_their_wrap():
    assert clock.unwrap(np.array([16_382, 16_383, 0, 1])).tolist() == [16_382, 16_383, 16_384, 16_385]
    assert clock.unwrap(np.zeros(0, int)).size == 0


def science(frames: int = 4, mode: int = 1) -> decommutate.Science:
    frame, fov = np.repeat(np.arange(frames), 3), np.tile([1, 2, 3], frames)
    nothing = np.zeros((frame.size, 4), bool)
    dn = np.random.default_rng(4).integers(1000, 2000, (frame.size, 4, 1024)).astype(np.int32)
    return decommutate.Science(
        sounding_id=10**11 + frame * 10 + fov,
        boot_count=np.ones(frame.size, int),
        frame_counter=frame,
        fov=fov,
        time_code=(frame, frame, frame),
        operation_mode=np.full(frame.size, mode),
        detector_temperature=np.full(frame.size, 150.0),
        dn=dn,
        saturated=nothing,
        band_missing=nothing.copy(),
        band_corrected=nothing,
    )


def test_a_band_that_repeats_is_doubted_in_both_frames_and_its_field_alone():
    seen = science()
    seen.dn[6 + 1, 2] = seen.dn[3 + 1, 2]  # field 2, frame 2 as frame 1
    stuck = doubts._stuck(seen)
    assert np.flatnonzero(stuck).tolist() == [4, 7]


def test_a_share_of_equal_counts_below_the_limit_is_chance():
    seen = science()
    for same, found in ((1013, False), (1014, True)):  # of 1024, limit 0.99
        seen.dn[4, 1] = -seen.dn[1, 1]
        seen.dn[4, 1, :same] = seen.dn[1, 1, :same]
        assert doubts._stuck(seen)[1] == found


def test_bands_that_are_missing_in_both_repeat_nothing():
    seen = science()
    seen.dn[[1, 4], 0] = decommutate.MISSING_DN
    seen.band_missing[[1, 4], 0] = True
    assert not doubts._stuck(seen).any()


def housekeeping(modes: dict[int, int]) -> dict[str, np.ndarray]:
    """An L0 product of housekeeping packets, one a frame."""
    packets = np.zeros((len(modes), 32), np.uint8)
    for row, (frame, mode) in enumerate(modes.items()):
        packets[row, 15], packets[row, 19], packets[row, 20] = 1, frame, mode
    size = np.full(len(modes), 32)
    return {
        "apid": np.full(len(modes), 257),
        "packet_offset": np.cumsum(size) - size,
        "packet_length": size,
        "packet_data": packets.ravel(),
        "quality_flag": np.zeros(len(modes), int),
    }


@pytest.mark.parametrize(
    ("mode", "told", "doubted"),
    [
        (1, {0: 1, 1: 1, 2: 1, 3: 1}, []),
        (1, {0: 1, 1: 0, 3: 1}, [1]),  # frame 2 has no housekeeping: nothing speaks against it
        (1, {}, []),
        (9, {0: 9, 1: 9, 2: 9, 3: 9}, [0, 1, 2, 3]),
    ],
)
def test_a_mode_is_doubted_when_unknown_or_other_than_housekeeping_tells(mode, told, doubted):
    seen = science(mode=mode)
    found = doubts._other_mode((1 << 32) + seen.frame_counter, seen.operation_mode, [housekeeping(told)])
    assert np.unique(seen.frame_counter[found]).tolist() == doubted
    assert found.reshape(4, 3).all(axis=1).sum() == len(doubted)
