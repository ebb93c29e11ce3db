"""Turn a scenario YAML file into a checked model; every quantity is stored in the unit its type names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _in_unit(unit: str) -> BeforeValidator:
    """Accept "650 km" and store the magnitude in `unit`."""

    def convert(value: Any) -> float:
        import pint

        if not isinstance(value, str):
            raise ValueError(f'expected a quantity with its unit, like "1 {unit}", got {value!r}')
        try:
            return float(pint.application_registry.Quantity(value).to(unit).magnitude)
        except Exception as error:
            raise ValueError(f"expected a quantity convertible to {unit}, got {value!r}") from error

    return BeforeValidator(convert)


Degree = Annotated[float, _in_unit("degree")]
Metre = Annotated[float, _in_unit("metre")]
MetrePerSecond = Annotated[float, _in_unit("m/s")]
Hectopascal = Annotated[float, _in_unit("hPa")]
Kelvin = Annotated[float, _in_unit("kelvin")]
Fraction = Annotated[float, _in_unit("")]
Ppm = Annotated[float, _in_unit("ppm")]
Microradian = Annotated[float, _in_unit("microradian")]


class Model(BaseModel):
    """Refuse unknown keys and later changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Orbit(Model):
    repeat_days: int = Field(25, ge=1, le=400)
    repeat_revs: int = Field(368, ge=1)
    local_time_descending_node: str = Field("10:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class Observation(Model):
    mode: Literal["nadir", "glint"]
    soundings: int = Field(120, ge=3, le=100_000)  # rounded up to whole frames of 3 fields of view
    start_latitude: Annotated[Degree, Field(ge=-80, le=80)]  # sub-satellite latitude at `start`, descending


class Truth(Model):
    co2: Literal["climatology", "uniform"] = "climatology"
    co2_uniform: Annotated[Ppm, Field(gt=0)] = 420.0  # used by co2: uniform
    co2_intensity_scale: float = Field(1.0, gt=0)  # of the truth's CO2 lines, unknown to the ground
    surface: Literal["ocean", "vegetation", "soil", "desert"] = "ocean"
    wind_speed: Annotated[MetrePerSecond, Field(ge=0.5, le=30)] = 7.0
    airglow: bool = True
    multiple_scattering: bool = True


class Instrument(Model):
    name: str = "microcarb"  # twin/data/<name>.yaml
    noise: bool = True


class KnowledgeError(Model):
    """Size of what the ground gets wrong about the instrument; the seed draws the signs."""

    isrf_width: Fraction = 0.001
    gain_slope: Fraction = 0.001  # edge to edge of a band
    zero_level: Fraction = 0.0002  # of the continuum at mean radiance
    wavelength_spectel: float = 0.02
    ephemeris_position: Metre = 5.0
    attitude: Microradian = 5.0


class Prior(Model):
    """Forecast error of the meteo file (1 sigma) and the CO2 prior it carries."""

    surface_pressure: Hectopascal = 1.0
    temperature: Kelvin = 1.0
    humidity: Fraction = 0.1
    wind_speed: MetrePerSecond = 1.0
    co2_offset: Ppm = 0.0


class Mismatch(Model):
    """A second row of the verdict: the same soundings with another CO2 line intensity in truth."""

    co2_intensity: Fraction = 0.003
    soundings: int = Field(12, ge=0)


class Requirement(Model):
    figure: str  # key of verdict.json's figures
    at_most: float | None = None
    at_least: float | None = None


class Scenario(Model):
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    question: str = ""
    seed: int = Field(1, ge=0)
    start: datetime  # UTC, first acquisition
    orbit: Orbit = Orbit()
    observation: Observation
    truth: Truth = Truth()
    instrument: Instrument = Instrument()
    knowledge_error: KnowledgeError = KnowledgeError()
    prior: Prior = Prior()
    mismatch: Mismatch = Mismatch()
    processors: dict[Literal["l0", "l1a", "l1b", "l2"], list[str]] = {}  # other programs for a step
    settings: dict[Literal["l0", "l1a", "l1b", "l2"], dict[str, Any]] = {}  # handed on in the job order
    requirements: list[Requirement]
