"""Turn L0 packets into detector counts with time, place and angles (L1A)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from processors import products
from processors.job import BadInput, Job, ProcessorError
from processors.l1a import decommutate, doubts, ephemeris, geometry, selection, sun, timecode
from processors.products import Product

L0_VARIABLES = ("apid", "packet_offset", "packet_length", "packet_data", "quality_flag", "clock_offset")
# bits of quality_flag
SATURATED, BAND_MISSING, NOT_LOCATED, TIME_SUSPECT, MODE_SUSPECT, BAND_STUCK = 1, 2, 4, 8, 16, 32
ATTITUDE_BRIDGED = 64
CORNERS = ((-0.5, 0), (-0.5, 1), (0.5, 1), (0.5, 0))  # (part of the frame duration, side): vertex 0..3


@dataclass(frozen=True)
class Sight:
    """What the CKD tells of the lines of sight, body frame."""

    centre: np.ndarray  # (fov, 3) unit vectors
    corner: np.ndarray  # (fov, side, 3) unit vectors, left and right
    frame_duration: float  # s


@dataclass
class Granule:
    """Soundings on their way from packets to places; a row is a sounding."""

    science: decommutate.Science
    states: decommutate.States
    leap: timecode.LeapSeconds
    sight: Sight
    doubts: doubts.Doubts
    seconds: np.ndarray = field(
        default_factory=lambda: np.zeros(0)
    )  # s without jumps, middle of the exposure
    samples: ephemeris.Ephemeris | None = None
    centre: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))  # (sounding, 3) m
    variables: dict[str, np.ndarray] = field(default_factory=dict)


def date(granule: Granule) -> None:
    trusted = ~granule.doubts.time
    granule.seconds = np.where(trusted, granule.leap.continuous(*granule.science.time_code), np.nan)
    granule.variables["time"] = np.where(trusted, timecode.utc_seconds(*granule.science.time_code), np.nan)


def arrange_states(granule: Granule) -> None:
    states = granule.states
    time = granule.leap.continuous(*states.time_code)
    granule.samples = ephemeris.arrange(time, states.position, states.velocity, states.quaternion)


def locate(granule: Granule) -> None:
    """Place the centre and the four corners on the ellipsoid."""
    row = granule.science.fov - 1
    granule.centre = _ground(granule, granule.seconds, granule.sight.centre[row])
    latitude, longitude = geometry.latitude_longitude(granule.centre)
    vertices = np.full((2, row.size, len(CORNERS)), np.nan)
    for vertex, (part, side) in enumerate(CORNERS):
        time = granule.seconds + part * granule.sight.frame_duration
        ground = _ground(granule, time, granule.sight.corner[row, side])
        vertices[:, :, vertex] = geometry.latitude_longitude(ground)
    lost = np.isnan(latitude) | np.isnan(vertices).any(axis=(0, 2))
    granule.centre[lost] = np.nan
    granule.variables |= {
        "latitude": np.where(lost, np.nan, latitude),
        "longitude": np.where(lost, np.nan, longitude),
        "vertex_latitude": np.where(lost[:, np.newaxis], np.nan, vertices[0]),
        "vertex_longitude": np.where(lost[:, np.newaxis], np.nan, vertices[1]),
        "surface_altitude": np.where(lost, np.nan, 0.0),
    }


def look_to_satellite(granule: Granule) -> None:
    assert granule.samples is not None
    platform = ephemeris.interpolate(granule.samples, granule.seconds)
    zenith, azimuth = geometry.zenith_azimuth(granule.centre, platform.position)
    granule.variables |= {
        "sensor_zenith_angle": zenith,
        "sensor_azimuth_angle": azimuth,
        "sensor_recession_speed": geometry.recession_speed(
            granule.centre, platform.position, platform.velocity
        ),
    }


def look_to_sun(granule: Granule) -> None:
    utc = granule.variables["time"]
    tt_minus_utc = granule.leap.gps_minus_utc(utc) + timecode.TT_MINUS_GPS_S
    position, distance = sun.position(utc, tt_minus_utc)
    zenith, azimuth = geometry.zenith_azimuth(granule.centre, position)
    granule.variables |= {
        "solar_zenith_angle": zenith,
        "solar_azimuth_angle": azimuth,
        "sun_recession_speed": sun.recession_speed(utc, tt_minus_utc, granule.centre),
        "earth_sun_distance": distance,
    }


def flag(granule: Granule) -> None:
    science = granule.science
    lost = np.isnan(granule.centre[:, 0])
    granule.variables["quality_flag"] = (
        SATURATED * science.saturated.any(axis=1)
        + BAND_MISSING * science.band_missing.any(axis=1)
        + NOT_LOCATED * lost
        + TIME_SUSPECT * granule.doubts.time
        + MODE_SUSPECT * granule.doubts.mode
        + BAND_STUCK * granule.doubts.stuck
        + ATTITUDE_BRIDGED * (_bridged(granule) & ~lost)
    )


STEPS: tuple[Callable[[Granule], None], ...] = (
    date,
    arrange_states,
    locate,
    look_to_satellite,
    look_to_sun,
    flag,
)


def process(
    science: decommutate.Science,
    states: decommutate.States,
    leap: timecode.LeapSeconds,
    sight: Sight,
    doubted: doubts.Doubts | None = None,
) -> dict[str, np.ndarray]:
    """Return the variables of icd/l1a.yaml; nothing is doubted by default."""
    doubted = doubted or doubts.none(science.sounding_id.size)
    granule = Granule(science, states, leap, sight, doubted)
    for step in STEPS:
        step(granule)
    carried = (
        "sounding_id boot_count frame_counter fov operation_mode detector_temperature "
        "dn saturated band_missing band_corrected"
    )
    return {**{name: getattr(science, name) for name in carried.split()}, **granule.variables}


def run(job: Job) -> None:
    options = job.options(selection.OPTIONS)
    leap = timecode.LeapSeconds.read(job.input("leap_seconds"))
    passes = [products.read(path, L0_VARIABLES, level="l0") for path in job.input_list("l0")]
    ckd_path = job.input("ckd")
    ckd = products.read_ckd(ckd_path)
    sight = _sight(ckd, ckd_path)
    wanted = selection.chosen(options, job.path)
    science, states, doubted = _decommutate(passes, wanted, leap, sight.frame_duration)
    if not science.sounding_id.size:
        raise ProcessorError(
            f"{job.input_list('l0')[0]}: expected science packets of {selection.words(options)}, got none: "
            "check the selection and the packets missing in L0"
        )
    variables = process(science, states, leap, sight, doubted)
    products.require_valid(ckd, variables["time"], ckd_path)
    attributes = {"scenario_hash": job.scenario_hash, "ckd_id": str(ckd.attrs.get("ckd_id", ""))}
    parents = [*job.input_list("l0"), ckd_path, job.input("leap_seconds")]
    products.write(job.output("l1a"), "l1a", variables, attributes, parents)


def _decommutate(
    passes: list[Product], wanted: selection.Choice, leap: timecode.LeapSeconds, frame_duration: float
) -> tuple[decommutate.Science, decommutate.States, doubts.Doubts]:
    """Unpack the soundings wanted and the attitude that can be trusted; say what is doubted of the former."""
    kind = decommutate.SCIENCE, decommutate.SCIENCE_BYTES
    parts = []
    for l0 in passes:
        boots, counters = decommutate.frame_counters(l0)
        near = np.zeros(counters.size, bool)
        for beside in (-1, 0, 1):  # frames to compare with
            near |= wanted(boots, counters + beside)
        packets, quality = decommutate.packets_of(l0, *kind, near)
        timely, attitude = doubts.by_clock(l0, packets, leap, frame_duration)
        parts.append((packets, quality, timely, attitude))
    packets, quality, timely, attitude = (np.concatenate(values) for values in zip(*parts, strict=True))
    science = decommutate.science(packets, quality)
    found = doubts.of(science, packets, timely, passes)
    mine = wanted(science.boot_count, science.frame_counter)
    return decommutate.chosen(science, mine), decommutate.states(attitude), doubts.chosen(found, mine)


def _ground(granule: Granule, time: np.ndarray, sight: np.ndarray) -> np.ndarray:
    """Return (sounding, 3) m where body-frame lines of sight meet the ellipsoid."""
    assert granule.samples is not None
    platform = ephemeris.interpolate(granule.samples, time)
    return geometry.intersect(platform.position, ephemeris.rotate(platform.quaternion, sight))


def _bridged(granule: Granule) -> np.ndarray:
    """Return (sounding) bool: centre or a corner placed across a gap in the attitude."""
    assert granule.samples is not None
    times = [granule.seconds + part * granule.sight.frame_duration for part in (-0.5, 0.0, 0.5)]
    return np.any([ephemeris.bridged(granule.samples, time) for time in times], axis=0)


def _sight(ckd: products.Groups, path: Path) -> Sight:
    try:
        group = ckd["geometry"]
        sight = Sight(
            np.asarray(group["line_of_sight"], float),
            np.asarray(group["corner_line_of_sight"], float),
            float(group["frame_duration"]),
        )
    except KeyError as error:
        raise BadInput(f"{path}: expected the group geometry, got no {error}: make the CKD again") from error
    if sight.centre.shape != (decommutate.FOVS, 3) or sight.corner.shape != (decommutate.FOVS, 2, 3):
        raise BadInput(
            f"{path}: expected lines of sight (fov, xyz) and (fov, side, xyz), "
            f"got {sight.centre.shape} and {sight.corner.shape}: make the CKD again"
        )
    return sight
