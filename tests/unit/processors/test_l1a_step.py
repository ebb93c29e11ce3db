"""From packets made here to geolocated counts, against a nadir-looking satellite in closed form."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyfield.api import wgs84

from processors import products
from processors.job import BadInput, Job, ProcessorError
from processors.l1a import decommutate, step

BOOT, FIRST, FRAMES = 7, 40, 8
DAY, NOON_MS = 25_000, 43_200_000  # 2026-06-13
HEIGHT_M = 648_900.0
DURATION_S = 1.304
SPEED_DEG = 0.0614  # degrees of longitude a second: a satellite running east along the equator
HALF_FOV, FOV_STEP = 2.25 / 648.9, 4.5 / 648.9  # rad
one_metre_deg = 1e-5


def equator(seconds: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position, velocity and body axes (columns x east, y south, z down) above 10 + SPEED_DEG t east."""
    here = np.array(wgs84.latlon(0.0, 10.0 + SPEED_DEG * seconds, elevation_m=HEIGHT_M).itrs_xyz.m)
    up = here / np.linalg.norm(here)
    east, south = np.cross([0.0, 0.0, 1.0], up), np.array([0.0, 0.0, -1.0])
    speed = np.radians(SPEED_DEG) * np.linalg.norm(here)
    return here, speed * east, np.column_stack([east, south, -up])


def quaternion(axes: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(axes).as_quat()


def wrap(apid: int, count: int, body: bytes) -> bytes:
    return struct.pack(">HHH", 0x0800 | apid, 0xC000 | count, len(body) + 1) + body + b"\0\0"


def code(seconds: float) -> bytes:
    us = round(seconds * 1e6)
    return struct.pack(">HIH", DAY, NOON_MS + us // 1000, us % 1000)


def attitude(second: int) -> bytes:
    position, velocity, axes = equator(second)
    values = [*position, *velocity, *quaternion(axes)]
    return wrap(258, 0, code(second) + struct.pack(">HH10d", BOOT, 0, *values))


def counts(frame: int, fov: int, band: int) -> np.ndarray:
    row = np.random.default_rng((frame, fov, band)).integers(0, 2**20, 1024)
    row[:2] = 0, 2**20 - 1
    return row


def science(frame: int, fov: int, band: int, saturated: int = 0) -> bytes:
    bits = "".join(f"{value:020b}" for value in counts(frame, fov, band))
    head = struct.pack(">HIBBBBHH", BOOT, frame, fov, band, 1, saturated, 15_012, 0)
    return wrap(256, 0, code(middle(frame)) + head + int(bits, 2).to_bytes(2560, "big"))


def middle(frame: int) -> float:
    return 40.0 + (frame - FIRST) * DURATION_S


SCIENCE = {
    (frame, fov, band): science(frame, fov, band)
    for frame in range(FIRST, FIRST + FRAMES)
    for fov in (1, 2, 3)
    for band in range(4)
}
ATTITUDE = {second: attitude(second) for second in range(90)}


def l0_file(path: Path, packets: list[bytes], clock_offset: float = 0.0) -> Path:
    length = np.array([len(packet) for packet in packets])
    variables: dict[str, Any] = {}
    for name, row in products.table("l0")["variables"].items():
        variables[name] = np.zeros([len(packets) if d == "packet" else 0 for d in row["dims"]], row["dtype"])
    variables |= {
        "apid": np.array([packet[0] << 8 & 0x700 | packet[1] for packet in packets]),
        "packet_length": length,
        "packet_offset": np.cumsum(length) - length,
        "packet_data": np.frombuffer(b"".join(packets), np.uint8),
        "clock_offset": np.array(clock_offset),
    }
    products.write(path, "l0", variables, {})
    return path


def ckd_file(path: Path) -> Path:
    across = np.array([-1, 0, 1]) * FOV_STEP
    edge = across[:, np.newaxis] + np.array([-1, 1]) * HALF_FOV
    values = {
        "line_of_sight": np.stack([0 * across, np.sin(across), np.cos(across)], axis=-1),
        "corner_line_of_sight": np.stack([0 * edge, np.sin(edge), np.cos(edge)], axis=-1),
        "frame_duration": np.array(DURATION_S),
    }
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({"ckd_id": "test", "ckd_version": 1})
        dataset.setncatts({"validity_start": "2020-01-01T00:00:00Z", "validity_end": "2030-01-01T00:00:00Z"})
        group = dataset.createGroup("geometry")
        for name, size in (("fov", 3), ("side", 2), ("xyz", 3)):
            group.createDimension(name, size)
        dims = {0: (), 2: ("fov", "xyz"), 3: ("fov", "side", "xyz")}
        for name, value in values.items():
            group.createVariable(name, "f8", dims[value.ndim])[...] = value
    return path


def order(folder: Path, packets: list[bytes], **options: Any) -> Job:
    leap = folder / "leap_seconds.csv"
    leap.write_text("utc_start,gps_minus_utc_s\n2017-01-01T00:00:00Z,18\n")
    inputs: dict[str, Any] = {"l0": [l0_file(folder / "l0.nc", packets)], "leap_seconds": leap}
    inputs["ckd"] = ckd_file(folder / "ckd.nc")
    return Job("l1a", inputs, {"l1a": folder / "l1a.nc"}, options, "h", None, folder / "job.yaml")


def made(folder: Path, packets: list[bytes], **options: Any) -> products.Product:
    step.run(order(folder, packets, **options))
    return products.read(folder / "l1a.nc", level="l1a")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> products.Product:
    return made(tmp_path_factory.mktemp("l1a"), [*SCIENCE.values(), *ATTITUDE.values()])


def test_counts_and_identifiers_are_those_sent(whole: products.Product) -> None:
    assert whole["dn"].shape == (24, 4, 1024)
    expected = [BOOT * 10**11 + f * 10 + v for f in range(FIRST, FIRST + FRAMES) for v in (1, 2, 3)]
    assert whole["sounding_id"].tolist() == expected
    for row in (0, 11, 23):
        frame, fov = FIRST + row // 3, 1 + row % 3
        sent = [counts(frame, fov, band) for band in range(4)]
        np.testing.assert_array_equal(whole["dn"][row], sent)
    assert whole["detector_temperature"][0] == pytest.approx(150.12, abs=1e-4)
    assert not whole["quality_flag"].any()
    assert (whole["operation_mode"] == 1).all()


def test_the_time_is_utc(whole: products.Product) -> None:
    noon = 1_781_352_000.0  # 2026-06-13T12:00:00Z
    expected = noon + np.repeat([middle(f) for f in range(FIRST, FIRST + FRAMES)], 3)
    np.testing.assert_allclose(whole["time"], expected, atol=2e-6)


def test_centres_lie_under_the_track_and_beside_it(whole: products.Product) -> None:
    track = 10.0 + SPEED_DEG * np.repeat([middle(f) for f in range(FIRST, FIRST + FRAMES)], 3)
    np.testing.assert_allclose(whole["longitude"], track, atol=one_metre_deg)
    across_km = whole["latitude"].reshape(-1, 3) * 110.574  # km per degree of latitude at the equator
    np.testing.assert_allclose(across_km, np.tile([4.5, 0.0, -4.5], (FRAMES, 1)), atol=0.005)


def test_corners_run_start_left_start_right_end_right_end_left(whole: products.Product) -> None:
    half_deg = 0.5 * DURATION_S * SPEED_DEG
    offset = whole["vertex_longitude"] - whole["longitude"][:, np.newaxis]
    np.testing.assert_allclose(offset, np.tile([-1, -1, 1, 1], (24, 1)) * half_deg, atol=one_metre_deg)
    side_km = (whole["vertex_latitude"] - whole["latitude"][:, np.newaxis]) * 110.574
    np.testing.assert_allclose(side_km, np.tile([1, -1, -1, 1], (24, 1)) * 2.25, atol=0.005)


def test_angles_of_a_nadir_view(whole: products.Product) -> None:
    zenith = whole["sensor_zenith_angle"].reshape(-1, 3)
    expected = np.degrees(FOV_STEP) * (1 + HEIGHT_M / 6.356e6)  # small angles, curved ground
    np.testing.assert_allclose(zenith[:, [0, 2]], expected, rtol=0.01)
    assert (zenith[:, 1] < 1e-4).all()
    azimuth = whole["sensor_azimuth_angle"].reshape(-1, 3)  # from north of the track the satellite is south
    np.testing.assert_allclose(azimuth[:, 0], 180.0, atol=0.01)
    np.testing.assert_allclose((azimuth[:, 2] + 180.0) % 360.0, 180.0, atol=0.01)
    assert np.abs(whole["sensor_recession_speed"]).max() < 0.1


def test_the_sun_in_june_stands_north_of_the_equator(whole: products.Product) -> None:
    declination, longitude_of_noon = 23.2, 0.0
    hour_angle = np.radians(whole["longitude"] - longitude_of_noon)
    expected = np.degrees(np.arccos(np.cos(np.radians(declination)) * np.cos(hour_angle)))
    np.testing.assert_allclose(whole["solar_zenith_angle"], expected, atol=0.2)
    assert (whole["solar_azimuth_angle"] > 270.0).all()
    np.testing.assert_allclose(whole["earth_sun_distance"], 1.0157, atol=3e-4)
    rotation = 465.1 * np.cos(np.radians(declination)) * np.sin(hour_angle)  # westering Sun moves apart
    orbit = 29_784.0 * 0.0167 * np.sin(np.radians(159.2))  # true anomaly, perihelion on 3 January
    np.testing.assert_allclose(whole["sun_recession_speed"], rotation + orbit, atol=15.0)  # Moon, hour angle


def test_a_missing_band_is_filled_and_flagged(tmp_path: Path) -> None:
    packets = [p for key, p in SCIENCE.items() if key != (FIRST + 1, 2, 3)]
    got = made(tmp_path, [*packets, *ATTITUDE.values()], frames=[FIRST + 1, FIRST + 1])
    assert got["quality_flag"].tolist() == [0, step.BAND_MISSING, 0]
    assert got["band_missing"][1].tolist() == [0, 0, 0, 1]
    assert (got["dn"][1, 3] == -1).all()


def test_saturation_is_flagged_by_band(tmp_path: Path) -> None:
    packets = {**SCIENCE, (FIRST, 1, 2): science(FIRST, 1, 2, saturated=1)}
    got = made(tmp_path, [*packets.values(), *ATTITUDE.values()], frames=[FIRST, FIRST])
    assert got["saturated"].tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert got["quality_flag"].tolist() == [step.SATURATED, 0, 0]


def test_a_wrong_clock_takes_time_and_place_and_leaves_the_counts(tmp_path: Path) -> None:
    job = order(tmp_path, [*SCIENCE.values(), *ATTITUDE.values()])
    l0_file(tmp_path / "l0.nc", [*SCIENCE.values(), *ATTITUDE.values()], clock_offset=5.0)
    step.run(job)
    got = products.read(tmp_path / "l1a.nc", level="l1a")
    assert (got["quality_flag"] == step.TIME_SUSPECT + step.NOT_LOCATED).all()
    assert np.isnan(got["time"]).all()
    assert np.isnan(got["latitude"]).all()
    assert (got["dn"] >= 0).all()


def test_another_mode_in_housekeeping_and_a_band_that_repeats_are_flagged(tmp_path: Path) -> None:
    head = struct.pack(">HIBBHHI", BOOT, FIRST, 0, 0, 15_000, 28_000, 0)
    same, other = (SCIENCE[FIRST + n, 3, 1] for n in (1, 2))
    packets = {**SCIENCE, (FIRST + 2, 3, 1): other[:28] + same[28:]}
    told = wrap(257, 0, code(middle(FIRST)) + head)
    got = made(tmp_path, [*packets.values(), told, *ATTITUDE.values()])
    flags = got["quality_flag"].reshape(-1, 3)
    assert (flags[0] == step.MODE_SUSPECT).all()
    assert flags[1:3].tolist() == [[0, 0, step.BAND_STUCK]] * 2
    assert (flags[3:] == 0).all()
    alone = made(tmp_path, [*packets.values(), told, *ATTITUDE.values()], frames=[FIRST + 2, FIRST + 2])
    assert alone["quality_flag"].tolist() == [0, 0, step.BAND_STUCK]  # its neighbour is looked at, not kept


@pytest.mark.parametrize("kept", [range(0), range(43), [*range(40), *range(48, 90)]])
def test_missing_attitude_leaves_counts_and_flags_the_place(tmp_path: Path, kept) -> None:
    got = made(tmp_path, [*SCIENCE.values(), *(ATTITUDE[second] for second in kept)])
    lost = got["quality_flag"] & step.NOT_LOCATED != 0
    assert lost.any()
    assert np.isnan(got["latitude"]).tolist() == lost.tolist()
    assert np.isnan(got["sun_recession_speed"]).tolist() == lost.tolist()
    assert (got["dn"] >= 0).all()


@pytest.mark.parametrize(
    ("second", "frames"), [(40, [0, 1]), (43, [2, 3]), (30, []), (60, [])]
)  # frame n is exposed from 39.348 + 1.304 n to 40.652 + 1.304 n
def test_a_place_across_a_missing_attitude_packet_is_flagged_and_given(
    tmp_path: Path, whole: products.Product, second: int, frames: list[int]
) -> None:
    got = made(tmp_path, [*SCIENCE.values(), *(p for at, p in ATTITUDE.items() if at != second)])
    bridged = got["quality_flag"] == step.ATTITUDE_BRIDGED
    assert np.unique(got["frame_counter"][bridged] - FIRST).tolist() == frames
    assert not got["quality_flag"][~bridged].any()
    np.testing.assert_array_equal(got["latitude"][~bridged], whole["latitude"][~bridged])
    np.testing.assert_allclose(got["latitude"], whole["latitude"], atol=one_metre_deg)


def test_granules_and_frames_select_the_same_soundings(tmp_path: Path) -> None:
    packets = [*SCIENCE.values(), *ATTITUDE.values()]
    by_granule = made(tmp_path, packets, granule_soundings=12, granule=FIRST // 4 + 1)
    by_frame = made(tmp_path, packets, frames=[FIRST + 4, FIRST + 7])
    assert by_granule["sounding_id"].tolist() == by_frame["sounding_id"].tolist()
    assert by_granule["sounding_id"].size == 12


@pytest.mark.parametrize(
    "options", [{"frames": [3]}, {"frames": "all"}, {"granule": -1}, {"granule": 0, "granule_soundings": 4}]
)
def test_a_wrong_selection_is_bad_input(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="expected"):
        step.run(order(tmp_path, [*SCIENCE.values()], **options))


def test_a_lost_frame_moves_no_sounding_into_another_granule(tmp_path: Path) -> None:
    packets = [p for (frame, _, _), p in SCIENCE.items() if frame not in (FIRST, FIRST + 1)]
    got = made(tmp_path, [*packets, *ATTITUDE.values()], granule=FIRST // 4)
    assert sorted(set(got["frame_counter"].tolist())) == [FIRST + 2, FIRST + 3]


def test_a_granule_without_packets_fails_in_words(tmp_path: Path) -> None:
    with pytest.raises(ProcessorError, match="granule 5, got none"):
        step.run(order(tmp_path, [*SCIENCE.values()], granule=5))


@given(st.binary(min_size=2590, max_size=2590), st.binary(min_size=100, max_size=100), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_whatever_the_packets_hold_nothing_is_raised(one: bytes, state: bytes, at: int) -> None:
    spoilt = bytearray(ATTITUDE[41])
    spoilt[at:] = state[at:]
    packets = [one, SCIENCE[FIRST, 1, 0][:14] + one[14:], SCIENCE[FIRST, 2, 1]]
    found = decommutate.science(np.array([np.frombuffer(p, np.uint8) for p in packets]), np.zeros(3, int))
    rows = [np.frombuffer(bytes(p), np.uint8) for p in (spoilt, state, ATTITUDE[40], ATTITUDE[42])]
    leap = step.timecode.LeapSeconds(np.array([0.0]), np.array([18.0]))
    sight = step.Sight(np.tile([0.0, 0.0, 1.0], (3, 1)), np.tile([0.0, 0.0, 1.0], (3, 2, 1)), DURATION_S)
    with np.errstate(all="raise", under="ignore"):
        got = step.process(found, decommutate.states(np.array(rows)), leap, sight)
    assert got["latitude"].size == found.sounding_id.size
