"""Turn what was asked on the command line into a moment and a nature to look at."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from importlib import metadata

from truth.config import TruthConfig
from twin import provenance
from twin.errors import BadInput

EARTH = TruthConfig(  # without a scenario: every layer that needs no figures of its own
    surface="map", relief=True, plumes="steady", aerosol_climatology=True, cloud="climatology"
)
SEED = 1
FIRST_YEAR, LAST_YEAR = 2000, 2049  # the CO2 climatology begins, the ephemeris of the Sun ends
INSTRUMENT = "microcarb"


@dataclass(frozen=True)
class Nature:
    """One nature with what names it: the scenario's, or the Earth as it is by default."""

    config: TruthConfig
    seed: int
    scenario: str  # its name, empty by default
    instrument: str
    start: datetime | None  # of the scenario


def nature(scenario: str | None, seed: int | None) -> Nature:
    """Take the nature of a scenario, or the default one with every layer on."""
    if scenario is None:
        return Nature(EARTH, SEED if seed is None else seed, "", INSTRUMENT, None)
    from twin.run import find
    from twin.scenario import load

    found = load(find(scenario), seed=seed)
    config = TruthConfig.of(found.truth.model_dump())
    return Nature(config, found.seed, found.name, found.instrument.name, found.start)


def without_cloud(asked: Nature) -> Nature:
    return replace(asked, config=replace(asked.config, cloud="none", cirrus=None))


def moment(text: str, clock_utc: time) -> datetime:
    """Read an ISO date or date and time; UTC where it names no offset, `clock_utc` where it names no time."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"--date: expected a date like 2026-07-01 or a time like 2026-07-01T12:30Z, got {text!r}"
        ) from None
    value = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise BadInput(f"--date: expected a year from {FIRST_YEAR} to {LAST_YEAR}, got {text!r}")
    return datetime.combine(value.date(), clock_utc, UTC) if _is_date(text) else value


def local_clock(text: str, longitude_deg: float, clock: time) -> datetime:
    """Read like `moment`, but a date alone means the clock's mean local solar time at the longitude."""
    value = moment(text, clock)
    return value - timedelta(hours=longitude_deg / 15.0) if _is_date(text) else value


def _is_date(text: str) -> bool:
    """Tell a date (2026-07-01, 20260701, 2026-W27-3) from a date with a time."""
    return "T" not in text.upper() and " " not in text.strip()


def provenance_attributes(asked: Nature) -> dict[str, str | int]:
    """Name code, seed and configuration as global attributes of a file."""
    code = "/".join(provenance.package_hash(package)[:8] for package in ("twin", "truth"))
    return {
        "Conventions": "CF-1.11, ACDD-1.3",
        "institution": "digital twin",
        "source": "simulation",
        "license": "Apache-2.0",
        "code_version": f"{metadata.version('co2-twin')} twin/truth {code}",
        "scenario": asked.scenario or "none",
        "seed": asked.seed,
        "configuration": json.dumps(asdict(asked.config)),
    }
