"""What each fault does to bytes, packets and clocks: exactly that, and it says so."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twin import random
from twin.constants import FRAME_US
from twin.faults import catalogue, clock, content, link, packet, program
from twin.faults.hits import Hits
from twin.telemetry import frames, packets, sending

FRAMES = 40
SCIENCE_VC, ATTITUDE_VC = 1, 2
BOOT = 1
limit_octets = 16  # of a codeword, that Reed-Solomon corrects
T0 = 1_466_973_618_000_000  # GPS us


@pytest.fixture
def cadus() -> np.ndarray:
    rng = np.random.default_rng(5)
    sent = rng.integers(0, 256, (FRAMES, frames.CADU_BYTES)).astype(np.uint8)
    sent[:, :4] = frames.SYNC_MARKER
    return sent


@pytest.fixture
def rng() -> np.random.Generator:
    return random.stream(3, "test of faults")


def wrong_octets(sent: np.ndarray, received: np.ndarray) -> np.ndarray:
    """Octets that differ, (frame, codeword)."""
    differ = (sent != received)[:, 4:]
    return differ.reshape(len(sent), -1, 5).sum(axis=1)


def observed(count: int = 24) -> sending.Observed:
    """Frames of 3 soundings one after the other, 1 Hz attitude 5 s around them."""
    frame = np.arange(count) // 3
    ids = BOOT * 10**11 + frame * 10 + np.arange(count) % 3 + 1
    times = T0 + frame * FRAME_US
    rng = np.random.default_rng(1)
    exposed = xr.Dataset(
        {
            "sounding_id": ("sounding", ids),
            "dn": (("sounding", "band", "spectel"), rng.integers(0, 2**19, (count, 4, 1024))),
            "saturated_rows": (("sounding", "band"), np.zeros((count, 4), int)),
        }
    )
    geometry = xr.Dataset(
        {
            "sounding_id": ("sounding", ids),
            "time_gps_us": ("sounding", times),
            "operation_mode": ("sounding", np.ones(count, np.int8)),
        }
    )
    seconds = np.arange(T0 // 10**6 - 5, times[-1] // 10**6 + 6) * 10**6
    ephemeris = xr.Dataset(
        {
            "position": (("time", "xyz"), np.full((seconds.size, 3), 4e6)),
            "velocity": (("time", "xyz"), np.full((seconds.size, 3), 4e3)),
            "quaternion": (("time", "xyzw"), np.tile([0.0, 0.0, 0.0, 1.0], (seconds.size, 1))),
        },
        coords={"time_gps_us": ("time", seconds)},
    )
    return sending.Observed(exposed, geometry, ephemeris, packets.Housekeeping())


def channels_of(count: int = 24) -> packet.Channels:
    seen = observed(count)
    built, _ = packets.build(seen.exposed, seen.geometry, seen.ephemeris)
    return sending._numbered(built)


def send(fault: catalogue.Fault, tmp_path) -> tuple[pd.DataFrame, set[int], int]:
    contact = sending.Contact("Kiruna", T0 + 10**9, T0 + 2 * 10**9)
    return sending.send(observed(), contact, tmp_path / fault.name, 3, fault)


def test_the_catalogue_names_each_fault_once_and_strikes_only_what_it_lists():
    names = [fault.name for fault in catalogue.CATALOGUE]
    assert len(set(names)) == len(names)
    assert set(program.STRIKES) == {fault.name for fault in catalogue.CATALOGUE if fault.step}
    for fault in catalogue.CATALOGUE:
        hooks = (fault.content, fault.packets, fault.clock, fault.link, fault.step, fault.overlap)
        counts = (fault.first_frame_count, fault.first_sequence_count)
        assert any(hooks) or any(counts), fault.name
        assert fault.shows, f"{fault.name} could pass without having struck"


def test_a_wrong_name_is_told_with_the_near_one():
    assert catalogue.unknown("packet_loss") == catalogue.unknown("all") == ""
    assert "did you mean packet_loss?" in catalogue.unknown("packet_los")
    assert "choose among all, bit_errors" in catalogue.unknown("zzz")


def test_all_names_every_fault_and_names_keep_the_order_of_the_catalogue():
    assert catalogue.chosen(["all"]) == list(catalogue.CATALOGUE)
    assert [fault.name for fault in catalogue.chosen(["packet_loss", "burst"])] == ["burst", "packet_loss"]


def test_correctable_errors_fill_the_limit_of_every_codeword(cadus, rng):
    received = link.correctable_errors(cadus, SCIENCE_VC, Hits(), rng)
    assert (wrong_octets(cadus, received) == limit_octets).all()
    assert (received[:, :4] == cadus[:, :4]).all()


def test_uncorrectable_errors_are_one_octet_more_in_the_frames_told(cadus, rng):
    hits = Hits()
    received = link.uncorrectable_errors(cadus, SCIENCE_VC, hits, rng)
    worst = wrong_octets(cadus, received).max(axis=1)
    assert {(SCIENCE_VC, number) for number in np.flatnonzero(worst)} == set(hits.frames)
    assert set(worst) == {0, limit_octets + 1}
    assert link.uncorrectable_errors(cadus, ATTITUDE_VC, hits, rng) is cadus


def test_a_burst_stays_within_the_limit_because_codewords_interleave(cadus, rng):
    received = link.burst(cadus, SCIENCE_VC, Hits(), rng)
    worst = wrong_octets(cadus, received)
    assert worst.min() >= 9
    assert worst.max() <= limit_octets
    assert (received[:, :4] == cadus[:, :4]).all()


def test_markers_are_damaged_but_never_two_in_a_row(cadus, rng):
    received = link.damaged_markers(cadus, SCIENCE_VC, Hits(), rng)
    damaged = np.flatnonzero((received[:, :4] != cadus[:, :4]).any(axis=1))
    assert damaged.size == FRAMES // 5
    assert np.diff(damaged).min() > 1
    assert (received[:, 4:] == cadus[:, 4:]).all()


def test_a_slip_loses_and_adds_octets_within_two_frames(cadus, rng):
    hits = Hits()
    received = link.frame_slip(cadus, SCIENCE_VC, hits, rng)
    assert received.size == cadus.size - 7 + 5
    lost, added = sorted(number for _, number in hits.frames)
    size = frames.CADU_BYTES
    np.testing.assert_array_equal(received[: lost * size], cadus[:lost].ravel())
    between = cadus[lost + 1 : added].ravel()
    np.testing.assert_array_equal(received[(lost + 1) * size - 7 :][: between.size], between)
    np.testing.assert_array_equal(received[-size:], cadus[-1])


def test_a_pass_cut_short_tells_every_frame_it_did_not_deliver_whole(cadus, rng):
    hits = Hits()
    received = link.cut_short(cadus, SCIENCE_VC, hits, rng)
    whole = received.size // frames.CADU_BYTES
    assert {number for _, number in hits.frames} == set(range(whole, FRAMES))


def test_lost_frames_and_noise_are_told(cadus, rng):
    hits = Hits()
    assert len(link.lost_frames(cadus, SCIENCE_VC, hits, rng)) == FRAMES - len(hits.frames) == FRAMES - 2
    hits = Hits()
    received = link.long_burst(cadus, SCIENCE_VC, hits, rng)
    changed = set(np.flatnonzero((received != cadus).any(axis=1)))
    assert changed == {number for _, number in hits.frames}
    assert len(changed) == 3


@pytest.mark.parametrize(
    ("fault", "lost"), [(packet.lost_packets, 4), (packet.lost_band, 3), (packet.missing_attitude, 6)]
)
def test_dropped_packets_are_those_told(fault, lost, rng):
    before, hits = channels_of(), Hits()
    after = fault(before, hits, rng)
    there = {row for entries in before.values() for row, _ in entries}
    left = {row for entries in after.values() for row, _ in entries}
    assert there - left == set(hits.packets)
    assert len(hits.packets) == lost
    assert set(hits.packets.values()) == {packet.NOT_SENT}


def test_a_lost_band_is_one_band_of_one_frame(rng):
    before, hits = channels_of(), Hits()
    packet.lost_band(before, hits, rng)
    gone = [octets for row, octets in before[SCIENCE_VC] if row in hits.packets]
    assert len({octets[16:20] for octets in gone}) == 1  # frame counter
    assert len({octets[21] for octets in gone}) == 1  # band
    assert sorted(octets[20] for octets in gone) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
def test_a_lost_band_is_within_the_pass(seed):
    before, hits = channels_of(3), Hits()
    packet.lost_band(before, hits, random.stream(seed, "test of faults"))
    rows = [row for row, _ in before[SCIENCE_VC]]
    assert not {rows[0], rows[-1]} & set(hits.packets)


def test_repeated_and_swapped_packets_keep_their_octets(rng):
    before = channels_of()
    for change, extra in ((packet.repeated_packets, 5), (packet.swapped_packets, 0)):
        after = change(before, Hits(), rng)[SCIENCE_VC]
        assert len(after) == len(before[SCIENCE_VC]) + extra
        assert set(after) == set(before[SCIENCE_VC])
        assert after != before[SCIENCE_VC]


@pytest.mark.parametrize("change", [packet.length_flip, packet.apid_flip])
def test_a_garbled_header_is_one_packet_whose_check_fails(change, rng):
    before, hits = channels_of(), Hits()
    after = change(before, hits, rng)
    (row,) = hits.packets
    octets = dict(after[SCIENCE_VC])[row]
    sound = packets.crc16(np.frombuffer(octets, np.uint8)[None]) == 0
    assert not sound
    others = [entry for entry in after[SCIENCE_VC] if entry[0] != row]
    assert others == [entry for entry in before[SCIENCE_VC] if entry[0] != row]


@pytest.mark.parametrize("change", [packet.reset_counts, packet.wrong_mode])
def test_other_contents_are_sealed_with_a_check_that_fits(change, rng):
    after = change(channels_of(), Hits(), rng)[SCIENCE_VC]
    rows = np.array([np.frombuffer(octets, np.uint8) for _, octets in after])
    assert (packets.crc16(rows) == 0).all()


def test_counts_start_again_in_the_middle(rng):
    hits = Hits()
    after = packet.reset_counts(channels_of(), hits, rng)[SCIENCE_VC]
    counts = [int.from_bytes(octets[2:4], "big") & 0x3FFF for _, octets in after]
    assert counts == [*range(48), *range(48)]
    assert len(hits.renumbered) == 48


def test_clocks_are_right_before_the_middle_and_wrong_after():
    times = T0 + np.arange(-3, 4) * 10**6
    for fails in (clock.jump, clock.backwards, clock.epoch, clock.drift):
        shown = fails(times, T0)
        np.testing.assert_array_equal(shown[:3], times[:3])
        assert shown.dtype == np.int64
        assert (shown[4:] != times[4:]).all()
    assert (clock.jump(times, T0) - times)[-1] == 3600 * 10**6
    assert (clock.backwards(times, T0) - times)[-1] == -10 * 10**6
    assert clock.epoch(times, T0)[-1] == 3 * 10**6
    assert (clock.drift(times, T0) - times)[-1] == 60_000


def test_contents_change_in_the_soundings_told_and_leave_the_original():
    seen = observed()
    for change, soundings in ((content.saturated, 3), (content.dead, 3), (content.stuck, 9)):
        hits, before = Hits(), seen.exposed.copy(deep=True)
        after = change(seen.exposed, hits)
        differ = (after["dn"].to_numpy() != before["dn"].to_numpy()).any(axis=(1, 2))
        ids = set(before["sounding_id"].to_numpy()[differ].tolist())
        assert ids <= hits.soundings
        assert len(hits.soundings) == soundings
        xr.testing.assert_identical(seen.exposed, before)


def test_a_stuck_band_needs_a_frame_to_repeat():
    seen = observed(3)
    xr.testing.assert_identical(content.stuck(seen.exposed, Hits()), seen.exposed)


def test_attitude_is_lost_where_something_was_seen(rng):
    hits, seen = Hits(), observed()
    long_after = np.arange(60) * 10**6 + T0 + 20 * 10**6  # the spacecraft is on its way to the next sweep
    times = np.concatenate([seen.ephemeris["time_gps_us"].to_numpy(), long_after])
    rows = np.zeros(times.size, int)
    ephemeris = seen.ephemeris.isel(time=rows).assign_coords(time_gps_us=("time", times))
    built, _ = packets.build(seen.exposed, seen.geometry, ephemeris)
    before = sending._numbered(built)
    packet.missing_attitude(before, hits, rng)
    lost = sorted(octets[6:14] for row, octets in before[ATTITUDE_VC] if row in hits.packets)
    middle = before[SCIENCE_VC][48][1][6:14]
    assert len(lost) == 6
    assert lost[0] < middle < lost[-1]


def test_soundings_near_a_lost_attitude_packet_count_as_touched(tmp_path):
    sent, touched, _ = send(catalogue.BY_NAME["missing_attitude"], tmp_path)
    assert (sent["hit"] != "").sum() == 6
    frame = np.array(sorted(touched)) // 10 % 10**10
    assert 3 <= np.unique(frame).size < 8
    assert (sent.loc[sent["hit"] != "", "first_frame"] == -1).all()


def test_packets_in_a_frame_that_was_hit_are_named_with_it(tmp_path):
    sent, touched, _ = send(catalogue.BY_NAME["frames_lost"], tmp_path)
    hit = sent[sent["hit"] != ""]
    numbers = [int(text.split(":")[0].split()[1]) for text in hit["hit"]]
    within = (hit["first_frame"] <= numbers) & (numbers <= hit["last_frame"])
    assert within.all()
    assert touched == {
        10**11 + int(f) * 10 + int(v) for f, v in zip(hit["frame_counter"], hit["fov"], strict=True)
    }


def test_two_stations_share_a_part_and_lose_none(tmp_path):
    sent, touched, passes = send(catalogue.BY_NAME["stations_overlap"], tmp_path)
    assert (passes, touched, (sent["hit"] != "").any()) == (2, set(), False)
    folder = tmp_path / "stations_overlap"
    first, second = ((folder / f"pass_{n:04d}_vc1.cadu").read_bytes() for n in (1, 2))
    whole = int(sent[sent["vc"] == 1]["last_frame"].max() + 1) * frames.CADU_BYTES
    shared = len(first) + len(second) - whole
    assert shared > 0
    assert first[-shared:] == second[:shared]


@pytest.mark.parametrize("pause_at", [4, 5, 9])
def test_a_clock_fails_while_frames_follow_each_other(pause_at):
    seen = observed(24)
    late = np.arange(24) // 3 >= pause_at
    times = seen.geometry["time_gps_us"].to_numpy() + 13_000_000 * late
    seen = dataclasses.replace(seen, geometry=seen.geometry.assign(time_gps_us=("sounding", times)))
    before = times[times < seen.middle_us].max()
    assert seen.middle_us - before == FRAME_US
    assert abs(int(np.searchsorted(np.unique(times), seen.middle_us)) - 4) <= 1


def test_a_clock_fault_shows_in_the_manifest(tmp_path):
    import json

    send(catalogue.BY_NAME["clock_jump"], tmp_path)
    told = json.loads((tmp_path / "clock_jump" / "pass_0001.json").read_text())["clock_correlation"]
    assert told["station_utc"][:13] != told["on_board_utc"][:13]
    assert told["station_utc"][13:] == told["on_board_utc"][13:]


def test_without_a_fault_nothing_is_touched(tmp_path):
    sent, touched, passes = sending.send(
        observed(), sending.Contact("Kiruna", T0 + 10**9, T0 + 2 * 10**9), tmp_path / "s", 3
    )
    assert (touched, passes, set(sent["hit"])) == (set(), 1, {""})
