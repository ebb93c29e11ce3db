"""Read quantities with their units: each type of number names the unit it is stored in."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo

FIRST_YEAR, LAST_YEAR = 1981, 2052  # GPS time begins in 1980, the ephemeris of the Sun ends in 2053
STORED_UNITS = {"stored_units": True}  # validation context of numbers already in the model's units


def _magnitude(value: Any, unit: str) -> float:
    """Convert "650 km" to a float in `unit`; a bare number only where `unit` is dimensionless."""
    if isinstance(value, int | float) and not isinstance(value, bool) and not unit:
        return float(value)
    wanted = f'like "1 {unit}"' if unit else 'like 0.001 or "0.1 %"'
    if not isinstance(value, str):
        raise ValueError(f"expected a quantity with its unit, {wanted}, got {value!r}")
    import pint

    try:
        return float(pint.application_registry.Quantity(value).to(unit).magnitude)
    except Exception as error:
        raise ValueError(f"expected a quantity with its unit, {wanted}, got {value!r}") from error


def quantity(unit: str, at_least: float = -math.inf, at_most: float = math.inf) -> BeforeValidator:
    """Accept a string with any unit convertible to `unit`, within the limits given in `unit`."""

    def convert(value: Any, info: ValidationInfo) -> Any:
        if info.context == STORED_UNITS:
            return value
        magnitude = _magnitude(value, unit)
        if not math.isfinite(magnitude):
            raise ValueError(f"expected a finite number, got {value!r}")
        for limit, word, inside in (
            (at_least, "at least", magnitude >= at_least),
            (at_most, "at most", magnitude <= at_most),
        ):
            if not inside:
                raise ValueError(f"expected {word} {limit:g} {unit}".rstrip() + f", got {value!r}")
        return magnitude

    return BeforeValidator(convert)


def in_utc(value: datetime) -> datetime:
    """Read a time without offset as UTC; refuse one before GPS time or after the ephemeris of the Sun."""
    time = value if value.tzinfo else value.replace(tzinfo=UTC)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"expected a time from {FIRST_YEAR} to {LAST_YEAR}, got {value.isoformat()}")
    return time.astimezone(UTC)


Latitude = Annotated[float, quantity("degree", -80, 80)]
Longitude = Annotated[float, quantity("degree", -180, 180)]
Emission = Annotated[float, quantity("megatonne/year", 0, 1000)]
Length = Annotated[float, quantity("metre", 0, 100_000)]
TrackOffset = Annotated[float, quantity("metre", -1_000_000, 1_000_000)]
Speed = Annotated[float, quantity("m/s", 0, 30)]
WindSpeed = Annotated[float, quantity("m/s", 0.5, 30)]
Pressure = Annotated[float, quantity("hPa", 0, 50)]
Temperature = Annotated[float, quantity("kelvin", 0, 20)]
Share = Annotated[float, quantity("", 0, 1)]
SignedShare = Annotated[float, quantity("", -0.5, 0.5)]
MoleFraction = Annotated[float, quantity("ppm", 50, 2000)]
MoleFractionOffset = Annotated[float, quantity("ppm", -50, 50)]
Angle = Annotated[float, quantity("microradian", 0, 10_000)]


class Model(BaseModel):
    """Refuse unknown keys, guessed types and later changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
