"""Turn L0 packets into detector counts with time, place and angles (L1A)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from processors import products
from processors.job import BadInput, Job, ProcessorError
from processors.l1a import decommutate, ephemeris, geometry, selection, sun, timecode
from processors.products import Product

L0_VARIABLES = ("apid", "packet_offset", "packet_length", "packet_data", "quality_flag")
SATURATED, BAND_MISSING, NOT_LOCATED = 1, 2, 4  # bits of quality_flag
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
    seconds: np.ndarray = field(
        default_factory=lambda: np.zeros(0)
    )  # s without jumps, middle of the exposure
    samples: ephemeris.Ephemeris | None = None
    centre: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))  # (sounding, 3) m
    variables: dict[str, np.ndarray] = field(default_factory=dict)


def date(granule: Granule) -> None:
    granule.seconds = granule.leap.continuous(*granule.science.time_code)
    granule.variables["time"] = timecode.utc_seconds(*granule.science.time_code)


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
    granule.variables["quality_flag"] = (
        SATURATED * science.saturated.any(axis=1)
        + BAND_MISSING * science.band_missing.any(axis=1)
        + NOT_LOCATED * np.isnan(granule.centre[:, 0])
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
    science: decommutate.Science, states: decommutate.States, leap: timecode.LeapSeconds, sight: Sight
) -> dict[str, np.ndarray]:
    """Return the variables of icd/l1a.yaml."""
    granule = Granule(science, states, leap, sight)
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
    science, states = _decommutate(passes, selection.chosen(options, job.path))
    if not science.sounding_id.size:
        raise ProcessorError(
            f"{job.input_list('l0')[0]}: expected science packets of {selection.words(options)}, got none: "
            "check the selection and the packets missing in L0"
        )
    ckd_path = job.input("ckd")
    ckd = products.read_ckd(ckd_path, timecode.utc_seconds(*science.time_code))
    variables = process(science, states, leap, _sight(ckd, ckd_path))
    attributes = {"scenario_hash": job.scenario_hash, "ckd_id": str(ckd.attrs.get("ckd_id", ""))}
    parents = [*job.input_list("l0"), ckd_path, job.input("leap_seconds")]
    products.write(job.output("l1a"), "l1a", variables, attributes, parents)


def _decommutate(
    passes: list[Product], wanted: selection.Choice
) -> tuple[decommutate.Science, decommutate.States]:
    kind = decommutate.SCIENCE, decommutate.SCIENCE_BYTES
    rows = [decommutate.packets_of(l0, *kind, wanted(decommutate.frame_counters(l0))) for l0 in passes]
    packets, quality = (np.concatenate(values) for values in zip(*rows, strict=True))
    attitude = [
        decommutate.packets_of(l0, decommutate.ATTITUDE, decommutate.ATTITUDE_BYTES)[0] for l0 in passes
    ]
    return decommutate.science(packets, quality), decommutate.states(np.concatenate(attitude))


def _ground(granule: Granule, time: np.ndarray, sight: np.ndarray) -> np.ndarray:
    """Return (sounding, 3) m where body-frame lines of sight meet the ellipsoid."""
    assert granule.samples is not None
    platform = ephemeris.interpolate(granule.samples, time)
    return geometry.intersect(platform.position, ephemeris.rotate(platform.quaternion, sight))


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
