"""Describe what nature is like in a scenario; every layer can be switched off by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from truth.particles import SPECIES

_CHOICES = {
    "co2": ("uniform", "climatology", "file"),
    "plumes": ("none", "steady", "turbulent"),
    "stability": ("A", "B", "C", "D", "E", "F"),
}


@dataclass(frozen=True)
class Source:
    """A point source (extent 0) or a city that emits CO2 evenly over a disc."""

    name: str
    latitude: float  # degrees north
    longitude: float  # degrees east
    emission: float  # Mt CO2 per year
    extent: float = 0.0  # m, diameter


@dataclass(frozen=True)
class Particles:
    """A layer of aerosol or cirrus: Gaussian in height."""

    type: str  # a species of truth.particles
    optical_depth: float  # 1, vertical extinction at 0.755 um
    height: float  # m above sea level, of the centre
    thickness: float  # m, standard deviation of the Gaussian
    variability: float = 0.0  # 1, standard deviation of ln optical depth, a random field

    def __post_init__(self) -> None:
        if self.type not in SPECIES:
            raise ValueError(f"expected particles of {', '.join(SPECIES)}, got {self.type!r}")
        if not self.thickness > 0.0:
            raise ValueError(f"expected a thickness above 0 m, got {self.thickness:g}")


@dataclass(frozen=True)
class Co2File:
    """CO2 from a file of a transport model."""

    path: str
    layout: str  # one of truth.co2_files.LAYOUTS


@dataclass(frozen=True)
class TruthConfig:
    """What nature is like in a scenario; ppm, m, m s-1, degrees."""

    co2: str = "climatology"  # uniform, climatology or file
    co2_uniform: float = 420.0
    co2_file: Co2File | None = None
    biosphere: bool = True  # the land's seasonal and daily exchange, added to the climatology
    synoptic: bool = True  # weather's small-scale part of CO2, added to the climatology
    plumes: str = "none"  # none, steady or turbulent: the sources below and, if none is named, the catalogue
    sources: tuple[Source, ...] = ()
    stability: str = "B"  # Pasquill class A..F of the plumes
    surface: str = "ocean"  # a kind of truth.surface, or map
    brdf: bool = True  # land reflects by Ross-Li kernels, else by their Lambertian part
    relief: bool = False
    wind_speed: float = 7.0
    wind_direction: float | None = (
        None  # degrees from north the wind blows from; None: isotropic sea, plumes to the east
    )
    whitecaps: bool = True
    aerosol: tuple[Particles, ...] = ()
    aerosol_climatology: bool = False  # truth.aerosol's regions and seasons, added to `aerosol`
    cirrus: Particles | None = None
    cloud: str = "none"  # none or climatology: opaque, in part of the footprint
    sif: bool = True  # over green land
    airglow: bool = True
    multiple_scattering: bool = True  # read by truth.radiance
    sea_skylight: bool = True  # scattered light meets the sea in clean air, too; with particles always
    polarised: bool = False  # Stokes I, Q, U instead of I alone
    co2_intensity_scale: float = 1.0  # of the true CO2 lines; read by truth.radiance
    lines: str = "lines-v1"  # lines-v1, hapi, or a directory of 160-column files
    line_mixing: bool = False  # O2 A band, first order
    speed_dependence: bool = False
    water_broadening: bool = False  # water vapour widens lines more than dry air does

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"expected {name} of {', '.join(known)}, got {getattr(self, name)!r}")
        if not self.wind_speed > 0.0:
            raise ValueError(f"expected a wind_speed above 0 m s-1, got {self.wind_speed:g}")

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> TruthConfig:
        """Build from nested plain mappings and lists, as the scenario file holds them."""
        values = dict(plain)
        values["sources"] = tuple(Source(**each) for each in values.get("sources", ()))
        values["aerosol"] = tuple(Particles(**each) for each in values.get("aerosol", ()))
        if values.get("cirrus"):
            values["cirrus"] = Particles(**values["cirrus"])
        if values.get("co2_file"):
            values["co2_file"] = Co2File(**values["co2_file"])
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"expected fields of TruthConfig, got {', '.join(unknown)}: leave them out")
        return cls(**values)
