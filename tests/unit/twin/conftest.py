"""A finished run written by hand: files in the layout of the chain, values in closed form."""

import csv
import json
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from twin.events.log import EventLog
from twin.ledger import Ledger, Row
from twin.mission.resources import IMAGE_BITS
from twin.scenario import Scenario
from twin.verify.figures import OPERATIONS

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
START_GPS_US = 1_466_973_618_000_000  # 2026-07-01T20:40:00Z
START_UNIX_S = START.timestamp()
LEVELS, TRUTH_LEVELS, SPECTELS = 20, 61, 16
TRUE_PPM, PRIOR_PPM, KERNEL = 424.0, 420.0, 0.5  # uniform with height: the smoothed truth is 422 ppm
PSURF_HPA = 1013.0
FRAME = 10**10  # the first of boot 1
REASONS = {"dark": 1, "snow": 2, "surface_pressure": 4}  # bits of quality_reasons
PACKETS = {256: 96, 257: 8, 258: 60}


@dataclass
class FakeRun:
    """What `write` puts into files; change it first to break the run in one place."""

    root: Path
    soundings: int = 24
    errors_ppm: np.ndarray | None = None  # (sounding), on top of the kernel-smoothed truth
    noise_ppm: float = 0.5
    total_ppm: float = 0.8
    mismatch_ppm: float = 1.2
    longitude: float = -147.5
    psurf_error_hpa: float = 0.3
    outcome: dict[int, int] = field(default_factory=dict)  # row: outcome_flag other than 0
    reasons: dict[int, int] = field(default_factory=dict)  # row: bits of REASONS, of bad quality
    mismatch_outcome: dict[int, int] = field(default_factory=dict)
    sent: dict[int, int] = field(default_factory=lambda: dict(PACKETS))
    lost: int = 1  # packets of each kind in a gap
    question: str = "Is it right?"
    requirements: list[dict] = field(
        default_factory=lambda: [{"figure": "packets_unaccounted", "at_most": 0}]
    )

    @property
    def ids(self) -> np.ndarray:
        n = np.arange(self.soundings)
        return 10**11 + (n // 3) * 10 + n % 3 + 1

    @property
    def scenario(self) -> Scenario:
        data = {
            "name": "fake",
            "question": self.question,
            "start": START,
            "observation": {"mode": "glint", "soundings": self.soundings, "start_latitude": 22.0},
            "requirements": self.requirements,
        }
        return Scenario.model_validate(data, context={"stored_units": True})

    def retrieved_ppm(self) -> np.ndarray:
        errors = np.zeros(self.soundings) if self.errors_ppm is None else self.errors_ppm
        return PRIOR_PPM + KERNEL * (TRUE_PPM - PRIOR_PPM) + errors

    def write(self) -> Path:
        xco2 = self.retrieved_ppm()
        variants = (
            (self.root, xco2, self.outcome),
            (self.root / "mismatch", (xco2 + self.mismatch_ppm)[:12], self.mismatch_outcome),
        )
        for root, values, outcome in variants:
            write_geometry(self, root / "geometry.nc", values.size)
            for granule in range(-(-values.size // 12)):
                rows = np.arange(12 * granule, min(12 * granule + 12, values.size))
                write_l2(self, root / "l2" / f"l2_{granule:04d}.nc", rows, values[rows], outcome)
                write_l1b(self, root / "l1b" / f"l1b_{granule:04d}.nc", rows)
        write_truth(self, self.root / "truth.nc")
        write_packets(self, self.root)
        write_the_rest(self.root)
        return self.root


def new(path: Path) -> netCDF4.Dataset:
    path.parent.mkdir(parents=True, exist_ok=True)
    return netCDF4.Dataset(path, "w")


def put(file: netCDF4.Dataset, name: str, values, *more: str) -> None:
    """Write (sounding, *more), making the dimensions it needs."""
    values = np.asarray(values)
    for dim, size in zip(("sounding", *more), values.shape, strict=True):
        if dim not in file.dimensions:
            file.createDimension(dim, size)
    kind = "i8" if values.dtype.kind == "i" else "f8"
    file.createVariable(name, kind, ("sounding", *more))[:] = values


def put_place(run: FakeRun, file: netCDF4.Dataset, rows: np.ndarray) -> None:
    """Write identifier, time and footprints: 3 FOVs side by side, frames southward."""
    frame, fov = rows // 3, rows % 3
    longitude, latitude = run.longitude + 0.05 * fov - 0.02 * frame, 22.0 - 0.08 * frame
    west_east, along = np.array([-0.02, -0.02, 0.02, 0.02]), np.array([0.04, -0.04, -0.04, 0.04])
    put(file, "sounding_id", run.ids[rows])
    put(file, "time", START_UNIX_S + 1.304 * frame)
    put(file, "latitude", latitude)
    put(file, "longitude", (longitude + 180) % 360 - 180)
    put(file, "vertex_longitude", (longitude[:, None] + west_east + 180) % 360 - 180, "vertex")
    put(file, "vertex_latitude", latitude[:, None] + along, "vertex")


def write_geometry(run: FakeRun, path: Path, soundings: int) -> None:
    with new(path) as file:
        put_place(run, file, np.arange(soundings))


def write_l2(run: FakeRun, path: Path, rows: np.ndarray, xco2: np.ndarray, outcome: dict[int, int]) -> None:
    one, level = np.ones(rows.size), np.ones((rows.size, LEVELS))
    pressure = np.linspace(0.1, 1.0, LEVELS) * (PSURF_HPA + run.psurf_error_hpa)
    h = np.full(LEVELS, 1.0 / (LEVELS - 1))
    h[[0, -1]] /= 2
    with new(path) as file:
        file.ckd_id, file.scenario_hash, file.code_version = "fake-ckd", "0" * 64, "0.0"
        put_place(run, file, rows)
        put(file, "xco2", xco2)
        put(file, "xco2_apriori", PRIOR_PPM * one)
        put(file, "xco2_uncertainty", run.total_ppm * one)
        put(file, "xco2_uncertainty_noise", run.noise_ppm * one)
        put(file, "xco2_averaging_kernel", KERNEL * level, "level")
        put(file, "pressure_weight", h * level, "level")
        put(file, "pressure_levels", pressure * level, "level")
        put(file, "co2_profile", TRUE_PPM * level, "level")
        put(file, "co2_profile_apriori", PRIOR_PPM * level, "level")
        bad = [int(outcome.get(n, 0) != 0 or run.reasons.get(n, 0) != 0) for n in rows]
        put(file, "xco2_quality_flag", bad)
        put(file, "quality_reasons", [run.reasons.get(n, 0) for n in rows])
        file["quality_reasons"].flag_masks = np.array(list(REASONS.values()), np.int64)
        file["quality_reasons"].flag_meanings = " ".join(REASONS)
        put(file, "outcome_flag", [outcome.get(n, 0) for n in rows])
        put(file, "psurf", (PSURF_HPA + run.psurf_error_hpa) * one)
        put(file, "chi2", np.array([1.0, 1.1, 0.9, 1.2]) * one[:, None], "band")
        put(file, "dof_co2", 2.0 * one)
        put(file, "iterations", 3 * rows**0)
        put(file, "radiance_modelled", np.full((rows.size, 4, SPECTELS), 1e20), "band", "spectel")
        put(file, "radiance_residual", np.full((rows.size, 4, SPECTELS), 0.01), "band", "spectel")


def write_l1b(run: FakeRun, path: Path, rows: np.ndarray) -> None:
    shape = (rows.size, 4, SPECTELS)
    with new(path) as file:
        put(file, "sounding_id", run.ids[rows])
        put(file, "wavelength", np.broadcast_to(760 + 0.01 * np.arange(SPECTELS), shape), "band", "spectel")
        put(file, "radiance", np.full(shape, 1.01e20), "band", "spectel")
        put(file, "radiance_uncertainty", np.full(shape, 0.5e18), "band", "spectel")


def write_truth(run: FakeRun, path: Path) -> None:
    level = np.ones((run.soundings, TRUTH_LEVELS))
    with new(path) as file:
        put(file, "sounding_id", run.ids)
        put(file, "xco2", np.full(run.soundings, TRUE_PPM))
        put(file, "co2_profile", TRUE_PPM * level, "level")
        put(file, "pressure_levels", np.geomspace(0.01, PSURF_HPA, TRUTH_LEVELS) * level, "level")
        put(file, "surface_pressure", np.full(run.soundings, PSURF_HPA))


def header(apid: int, count: int) -> bytes:
    """First 16 octets of a packet: what tells it from any other."""
    return np.array([0x0800 | apid, 0xC000 | count, 99, 25_000, 0, count, 0, 1], ">u2").tobytes()


def write_packets(run: FakeRun, root: Path) -> None:
    """Of each kind the first is corrected, the second in quarantine, then come the lost and the accepted."""
    lost = {apid: min(run.lost, count - 3) for apid, count in PACKETS.items()}
    with (root / "sent_packets.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("apid", "sequence_count", "header", "first_frame", "last_frame", "hit"))
        for apid, sent in run.sent.items():
            for n in range(sent):
                hit = "damaged" if 1 <= n < 2 + lost.get(apid, -1) else ""
                writer.writerow((apid, n, header(apid, n).hex(), n, n, hit))
    kept = [(apid, n) for apid, count in PACKETS.items() for n in (0, *range(2 + lost[apid], count))]
    apids = list(PACKETS)
    vectors = {
        "packet_data": np.frombuffer(b"".join(header(*packet) for packet in kept), np.uint8),
        "packet_offset": 16 * np.arange(len(kept)),
        "quality_flag": [int(n == 0) for _, n in kept],
        "apid": [apid for apid, _ in kept],
        "sequence_count": [n for _, n in kept],
        "quarantine_apid": apids,
        "quarantine_sequence_count": [1] * 3,
        "quarantine_counted": [1] * 3,
        "gap_apid": apids,
        "gap_first_sequence_count": [2] * 3,
        "gap_packets": list(lost.values()),
    }
    with new(root / "l0" / "l0.nc") as file:
        for name, values in vectors.items():
            file.createDimension(name, len(values))
            kind = "u1" if name == "packet_data" else "i8"
            file.createVariable(name, kind, (name,))[:] = values
        for name, value in {"accepted": len(kept) - 3, "corrected": 3}.items():
            file.createVariable(f"packets_{name}", "i8")[...] = value


def write_the_rest(root: Path) -> None:
    """Write event log, ledger and the files that are only hashed."""
    log = EventLog()
    log.add(START_GPS_US - 60_000_000, "spacecraft", "mode", "glint")
    log.add(START_GPS_US, "instrument", "exposure", FRAME, 1)
    log.add(START_GPS_US + 1, "memory", "frame_stored", FRAME, IMAGE_BITS)
    log.add(START_GPS_US + 4_000_000_000, "station", "signal_acquired", "Kiruna")
    log.add(START_GPS_US + 4_000_001_844, "downlink", "frame_sent", FRAME, IMAGE_BITS)
    log.add(START_GPS_US + 4_300_000_000, "downlink", "acknowledged", "pass_0001", IMAGE_BITS)
    log.add(START_GPS_US + 4_300_000_000, "station", "signal_lost", "Kiruna")
    log.add(START_GPS_US + 4_400_000_000, "ground", "file_delivered", "pass_0001", IMAGE_BITS)
    log.to_csv(root / "events.csv")
    rates = {stage: {"start_s": 1.0, "each_s": 0.1} for stage in ("l0", "l1a", "l1b", "l2")}
    figures = dict.fromkeys(OPERATIONS, 60.0) | {"battery_min_mj": None}
    told = {"figures": figures, "workers": 2, "service": rates}
    (root / "operations.json").write_text(json.dumps(told))
    ledger = Ledger(root / "ledger.sqlite")
    for n, (stage, wall_s) in enumerate(
        {"orbit": 2.0, "truth": 10.0, "l0": 1.0, "l2": 5.0, "verify": 9.0}.items()
    ):
        ledger.put(Row(stage, stage, "", "done", 1, 0, float(n), wall_s, wall_s, 100.0 + n, stage, ""))
        ledger.put_stage(stage, float(n), wall_s)
    ledger.close()
    (root / "aux").mkdir()
    for name in ("scenario.yaml", "ckd.nc", "prior.nc", "aux/cia.csv"):
        (root / name).write_text(name)
    (root / "l0_stream").mkdir()
    entry = {"name": "pass_0001_vc1.cadu", "sha256": "ab" * 32}
    (root / "l0_stream" / "pass_0001.json").write_text(json.dumps({"files": [entry]}))


@pytest.fixture
def fake_run(tmp_path) -> FakeRun:
    return FakeRun(tmp_path)


@pytest.fixture(autouse=True)
def _interruptible():
    """Hear SIGINT also where the tests were started in the background, which makes a shell ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def mission():
    """Make a scenario in mode plan: hours of it, requests as dictionaries, other keys of its mission."""

    def make(hours: float, requests: list[dict], **keys) -> Scenario:
        data = {
            "name": "day",
            "start": datetime(2026, 7, 1, 10, 0, tzinfo=UTC),
            "observation": {"mode": "plan", "start_latitude": "60 degree"},
            "mission": {
                "duration": f"{hours} hour",
                "requests": [
                    row | {key: f"{row[key]} degree" for key in ("latitude", "longitude") if key in row}
                    for row in requests
                ],
                **keys,
            },
            "requirements": [],
        }
        return Scenario.model_validate(data)

    return make
