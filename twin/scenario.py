"""Turn a scenario YAML file into a checked model; every quantity is stored in the unit its type names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from twin.constants import FOVS, SWEEP_FRAMES
from twin.errors import BadInput
from twin.operations import Mission
from twin.quantities import (
    STORED_UNITS,
    Angle,
    Emission,
    Latitude,
    Length,
    Longitude,
    Model,
    MoleFraction,
    MoleFractionOffset,
    Pressure,
    Share,
    SignedShare,
    Speed,
    Temperature,
    TrackOffset,
    WindSpeed,
    in_utc,
    quantity,
)

LINE_SOURCES = ("lines-v1", "hapi")  # any other word is a directory
EXAMPLES = {  # of what a mode cannot do without
    "site": "site: {latitude: 48.9 degree, longitude: 2.3 degree}",
    "start_latitude": "start_latitude: 22 degree",
}
STEPS = Literal["l0", "l1a", "l1b", "l2"]


class Orbit(Model):
    repeat_days: Annotated[int, Field(ge=1, le=400)] = 25
    repeat_revs: Annotated[int, Field(ge=1, le=6400)] = 368
    local_time_descending_node: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "10:30"

    @model_validator(mode="after")
    def _revolutions_a_day(self) -> Orbit:
        rate = self.repeat_revs / self.repeat_days
        if not 13.0 < rate < 16.0:
            raise ValueError(
                f"expected 13 to 16 revolutions a day (280 to 1260 km altitude), got {rate:.2f}: "
                "change repeat_revs or repeat_days"
            )
        return self


class Site(Model):
    """A place on the ellipsoid that a target dwell stares at, or in the middle of a city scan."""

    latitude: Latitude
    longitude: Longitude


class Observation(Model):
    """Nadir and glint start at a latitude; target and city take the pass over their site nearest `start`.

    Mode plan: what `mission` programmes; the orbit crosses `start_latitude` at `start`, and `soundings` of
    the span, whole granules spread evenly over it, are made as full data.
    """

    mode: Literal["nadir", "glint", "target", "city", "plan"]
    soundings: Annotated[int, Field(ge=3, le=100_000)] = 120  # rounded up to whole frames of 3 fields of view
    start_latitude: Latitude | None = None  # of the point below the satellite at `start`
    ascending: bool = False  # northbound: with the local times of day-side imagers, by night
    site: Site | None = None
    track_offset: TrackOffset = 0.0  # from the site to the ground track, positive when that runs east of it
    sweeps: Literal[2, 3] | None = None  # of a city scan, 3 by default

    @model_validator(mode="before")
    @classmethod
    def _whole_city_scan(cls, data: Any) -> Any:
        """Fill in the sweeps of a city scan and all of their soundings."""
        if not isinstance(data, dict) or data.get("mode") != "city":
            return data
        sweeps = 3 if data.get("sweeps") is None else data["sweeps"]
        whole = SWEEP_FRAMES * FOVS * (sweeps if isinstance(sweeps, int) else 1)
        return {"soundings": whole, **data, "sweeps": sweeps}

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Observation:
        at_site = self.mode in ("target", "city")
        wanted, unwanted = ("site", "start_latitude") if at_site else ("start_latitude", "site")
        if getattr(self, wanted) is None:
            raise ValueError(f"expected {wanted} in mode {self.mode}, got none: add {EXAMPLES[wanted]}")
        if getattr(self, unwanted) is not None:
            raise ValueError(f"expected no {unwanted} in mode {self.mode}: remove it, {wanted} sets the pass")
        if self.track_offset and not at_site:
            raise ValueError(f"expected no track_offset in mode {self.mode}: it belongs to target and city")
        if self.sweeps is not None and self.mode != "city":
            raise ValueError(f"expected no sweeps in mode {self.mode}: they belong to city")
        if self.sweeps is not None and self.soundings > (whole := SWEEP_FRAMES * FOVS * self.sweeps):
            raise ValueError(
                f"expected at most {whole} soundings in a city scan of {self.sweeps} sweeps, "
                f"got {self.soundings}: leave soundings out"
            )
        return self


class Source(Model):
    """A point source, or a city that emits over a disc of diameter `extent`."""

    name: str = "source"
    latitude: Latitude
    longitude: Longitude
    emission: Emission
    extent: Length = 0.0


class Particles(Model):
    """A layer of particles, Gaussian in height; optical depth at 0.755 um."""

    type: str
    optical_depth: Annotated[float, quantity("", 0, 20)]
    height: Length
    thickness: Annotated[float, quantity("metre", 100, 10_000)] = 1000.0  # standard deviation
    variability: Share = 0.0  # standard deviation of ln optical depth


class Aerosol(Particles):
    type: Literal["dust", "sea_salt", "sulphate", "organic", "black_carbon", "water"] = "dust"


class Cirrus(Particles):
    type: Literal["ice"] = "ice"


class Co2File(Model):
    path: str  # absolute or from the scenario's folder
    layout: Literal["cams", "carbontracker", "geoschem", "oco2_geos", "cosmo"]


class Truth(Model):
    """What nature is like: every layer can be switched; see truth/config.py."""

    co2: Literal["climatology", "uniform", "file"] = "climatology"
    co2_uniform: MoleFraction = 420.0  # used by co2: uniform
    co2_file: Co2File | None = None  # used by co2: file
    biosphere: bool = True
    synoptic: bool = True
    plumes: Literal["none", "steady", "turbulent"] = "none"
    sources: list[Source] = []  # none named: the catalogue of truth/data
    stability: Literal["A", "B", "C", "D", "E", "F"] = "B"
    surface: Literal["map", "ocean", "vegetation", "forest", "soil", "desert", "snow", "city"] = "ocean"
    brdf: bool = True
    relief: bool = False
    wind_speed: WindSpeed = 7.0
    wind_direction: Annotated[float, quantity("degree", 0, 360)] | None = None  # where it blows from
    whitecaps: bool = True
    aerosol: list[Aerosol] = []
    aerosol_climatology: bool = False  # regions and seasons, added to `aerosol`
    cirrus: Cirrus | None = None
    cloud: Literal["none", "climatology"] = "none"
    sif: bool = True
    airglow: bool = True
    multiple_scattering: bool = True
    sea_skylight: bool = True
    polarised: bool = False
    co2_intensity_scale: Annotated[float, Field(gt=0.5, lt=2)] = (
        1.0  # of the true CO2 lines, unknown to the ground
    )
    lines: str = "lines-v1"  # or hapi, or a directory of 160-column files
    line_mixing: bool = False
    speed_dependence: bool = False
    water_broadening: bool = False  # of all lines, by water vapour

    @model_validator(mode="after")
    def _file_named(self) -> Truth:
        if self.co2 == "file" and self.co2_file is None:
            raise ValueError("expected co2_file with path and layout for co2: file, got none")
        return self


class Instrument(Model):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = "microcarb"  # twin/data/<name>.yaml
    noise: bool = True


class KnowledgeError(Model):
    """Size of what the ground gets wrong about the instrument; the seed draws the signs."""

    isrf_width: Share = 0.001
    gain_slope: Share = 0.001  # edge to edge of a band
    zero_level: Share = 0.0002  # of the continuum at mean radiance
    wavelength_spectel: Annotated[float, Field(ge=0, le=10)] = 0.02
    ephemeris_position: Length = 5.0
    attitude: Angle = 5.0


class Prior(Model):
    """Error of the meteo file (1 sigma): forecast, and climatology of how land reflects; its CO2 prior."""

    surface_pressure: Pressure = 1.0
    temperature: Temperature = 1.0
    humidity: Share = 0.1
    wind_speed: Speed = 1.0
    brdf: Share = 0.1  # of the kernel weights of typical land
    co2_offset: MoleFractionOffset = 0.0


class Spectroscopy(Model):
    """Error of the line list and continua the ground is given, as shares of nature's."""

    co2_intensity: SignedShare = 0.0
    o2_intensity: SignedShare = 0.0
    width: SignedShare = 0.0  # of all lines in air
    cia: bool = True  # false: the ground knows no collision-induced absorption


class Mismatch(Model):
    """A second row of the verdict: the same soundings with another CO2 line intensity in truth."""

    co2_intensity: SignedShare = 0.003
    soundings: Annotated[int, Field(ge=0, le=1200)] = 12


class Requirement(Model):
    figure: str = Field(pattern=r"^[a-z0-9_]+$")  # key of verdict.json's figures
    at_most: float | None = None
    at_least: float | None = None
    because: str = ""  # why the limit is what it is; printed beside the row

    @model_validator(mode="after")
    def _limited(self) -> Requirement:
        if self.at_most is None and self.at_least is None:
            raise ValueError(f"expected at_most or at_least for {self.figure}, got no limit")
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            got = f"got {self.at_least:g} above {self.at_most:g}"
            raise ValueError(f"expected at_least up to at_most for {self.figure}, {got}")
        return self


class Scenario(Model):
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    question: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    start: Annotated[datetime, AfterValidator(in_utc)]  # first acquisition
    orbit: Orbit = Orbit()
    observation: Observation
    mission: Mission | None = None  # what mode plan programmes
    truth: Truth = Truth()
    instrument: Instrument = Instrument()
    knowledge_error: KnowledgeError = KnowledgeError()
    prior: Prior = Prior()
    spectroscopy: Spectroscopy = Spectroscopy()
    mismatch: Mismatch = Mismatch()
    processors: dict[STEPS, Annotated[list[str], Field(min_length=1)]] = {}  # other programs for a step
    settings: dict[STEPS, dict[str, Any]] = {}  # handed on in the job order
    faults: list[str] = []  # names of twin/faults/catalogue.py, or all: each tried on a copy of the run
    requirements: list[Requirement]

    @model_validator(mode="after")
    def _planned(self) -> Scenario:
        if self.observation.mode == "plan" and self.mission is None:
            raise ValueError('expected mission in mode plan, got none: add mission: {duration: "1 day"}')
        if self.observation.mode != "plan" and self.mission is not None:
            raise ValueError(
                f"expected no mission in mode {self.observation.mode}: remove it, or take mode plan"
            )
        if self.mission is not None and self.faults:
            raise ValueError(
                f"expected no faults in a mission, got {', '.join(self.faults)}: try them on an observation"
            )
        return self


def load(path: Path | str, *, seed: int | None = None, soundings: int | None = None) -> Scenario:
    """Read and check a scenario; raise BadInput with one `file:line:column: key: ...` line an error."""
    from twin import diagnosis

    path = Path(path)
    text = diagnosis.read(path)
    data, node = diagnosis.parse(path, text)
    if seed is not None:
        data["seed"] = seed
    if soundings is not None and isinstance(data.get("observation"), dict):
        data["observation"]["soundings"] = soundings
    data.setdefault("question", diagnosis.first_comment(text))
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        lines = diagnosis.explain(path, node, error, Scenario)
        raise BadInput("\n".join(lines)) from None
    scenario = _rooted(scenario, path.parent)
    problems = diagnosis.unmet_references(path, node, scenario)
    if problems:
        raise BadInput("\n".join(problems))
    return scenario


def named_paths(scenario: Scenario) -> dict[tuple[str, ...], Path]:
    """List the files and folders a scenario names, by the place of their keys."""
    truth = scenario.truth
    named: dict[tuple[str, ...], Path] = {}
    if truth.lines not in LINE_SOURCES:
        named["truth", "lines"] = Path(truth.lines)
    if truth.co2_file is not None:
        named["truth", "co2_file", "path"] = Path(truth.co2_file.path)
    return named


def with_paths(scenario: Scenario, texts: Mapping[tuple[str, ...], str]) -> Scenario:
    """Put other texts in the places of `named_paths`."""
    truth = scenario.truth
    changes: dict[str, Any] = {}
    if ("truth", "lines") in texts:
        changes["lines"] = texts["truth", "lines"]
    if truth.co2_file is not None and ("truth", "co2_file", "path") in texts:
        path = texts["truth", "co2_file", "path"]
        changes["co2_file"] = truth.co2_file.model_copy(update={"path": path})
    return scenario.model_copy(update={"truth": truth.model_copy(update=changes)})


def _rooted(scenario: Scenario, folder: Path) -> Scenario:
    """Read paths as relative to the folder of the scenario's file."""
    named = named_paths(scenario).items()
    return with_paths(scenario, {place: str((folder / path.expanduser()).resolve()) for place, path in named})


def dump(scenario: Scenario) -> str:
    """Serialise the checked model, numbers in its own units, for the programs of a run."""
    return scenario.model_dump_json(indent=1)


def restore(path: Path) -> Scenario:
    """Read what `dump` wrote, without unit conversion."""
    return Scenario.model_validate_json(path.read_text(encoding="utf-8"), context=STORED_UNITS)
