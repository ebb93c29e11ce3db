"""Turn a column and its particles into the optical depths and phase functions of one band."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from truth import rayleigh
from truth.layers import Layers
from truth.particles import ParticleOptics
from truth.spectroscopy.continuum import cia_coefficient
from truth.spectroscopy.tables import BandTable


@dataclass(frozen=True)
class Particles:
    """Particles of one band, the same at each point: vertical depths by layer.

    The forward peak that the streams cannot carry counts as unscattered (delta-M, Wiscombe 1977): scattering
    and moments lack it. Once scattered light has the whole phase function (TMS, Nakajima and Tanaka 1988).
    """

    absorption: np.ndarray  # (layer,)
    scattering: np.ndarray  # (layer,)
    moments: np.ndarray  # (moment, layer) Legendre moments with 2l + 1, times scattering
    to_sensor: np.ndarray  # (layer,) untruncated scattering times phase function at the scattering angle

    def merged(self, add: np.ndarray) -> Particles:
        parts = self.absorption, self.scattering, self.moments.T, self.to_sensor
        absorption, scattering, moments, to_sensor = (add @ part for part in parts)
        return Particles(absorption, scattering, moments.T, to_sensor)


@dataclass(frozen=True)
class Medium:
    """What the light of one band meets: vertical depths (layer, point), top to surface."""

    absorption: np.ndarray  # by gas
    rayleigh: np.ndarray
    second: np.ndarray  # (point,) second Legendre moment of Rayleigh's phase function
    particles: Particles | None = None

    @property
    def scattering(self) -> np.ndarray:
        if self.particles is None:
            return self.rayleigh
        return self.rayleigh + self.particles.scattering[:, None].astype(self.rayleigh.dtype)

    @property
    def extinction(self) -> np.ndarray:
        if self.particles is None:
            return self.absorption + self.rayleigh
        depth = self.particles.absorption + self.particles.scattering
        return self.absorption + self.rayleigh + depth[:, None].astype(self.rayleigh.dtype)

    def to_sensor(self, cos_scattering: float) -> np.ndarray:
        """Give scattering times phase function at the scattering angle, (layer, point)."""
        phase = rayleigh.phase_function(cos_scattering, self.second).astype(self.rayleigh.dtype)
        if self.particles is None:
            return self.rayleigh * phase
        return self.rayleigh * phase + self.particles.to_sensor[:, None].astype(self.rayleigh.dtype)

    def at(self, points: slice | np.ndarray) -> Medium:
        """Keep some points."""
        return replace(
            self,
            absorption=self.absorption[:, points],
            rayleigh=self.rayleigh[:, points],
            second=self.second[points],
        )

    def merged(self, add: np.ndarray) -> Medium:
        """Add up layers by a matrix (merged, layer)."""
        particles = None if self.particles is None else self.particles.merged(add)
        return Medium(add @ self.absorption, add @ self.rayleigh, self.second, particles)


def gas_medium(table: BandTable, cia: Mapping[str, np.ndarray], column: Layers) -> Medium:
    """Give absorption by gases and Rayleigh scattering, float32."""
    absorption, scattering = optical_depths(table, cia, column)
    return Medium(absorption, scattering, rayleigh.legendre_second(table.wavenumber_cm1))


def optical_depths(
    table: BandTable, cia: Mapping[str, np.ndarray], column: Layers
) -> tuple[np.ndarray, np.ndarray]:
    """Give vertical absorption and Rayleigh scattering optical depths, (layer, point) float32 each."""
    absorption = np.zeros((len(column.pressure_pa), len(table.wavenumber_cm1)), np.float32)
    for gas in table.cross_section:
        absorption += table.optical_depth(gas, *column.halves(gas))
    if table.band.name in cia:
        coefficient = cia_coefficient(cia[table.band.name], table.wavenumber_cm1)
        absorption += np.outer(column.air_squared, coefficient).astype(np.float32)
    cross_section = rayleigh.cross_section(table.wavenumber_cm1)
    return absorption, np.outer(column.air, cross_section).astype(np.float32)


def mixed_particles(
    depth: Mapping[str, np.ndarray],
    optics: Callable[[str], ParticleOptics],
    cos_scattering: float,
    streams: int,
) -> Particles | None:
    """Mix the species' optical depths at 0.755 um, (layer,) each; None where there are none."""
    present = {species: layers for species, layers in depth.items() if np.any(layers > 0.0)}
    if not present:
        return None
    order = np.arange(streams)
    parts = []
    for species, layers in present.items():
        of = optics(species)
        extinction = np.asarray(layers, float) * of.extinction_ratio
        scattering = extinction * of.single_scattering_albedo
        a = np.pad(of.legendre, (0, max(0, streams + 1 - len(of.legendre))))
        peak = a[streams] / (2 * streams + 1) if streams else 0.0
        moments = np.outer(a[:streams] - (2 * order + 1) * peak, scattering)
        to_sensor = scattering * of.phase(cos_scattering)
        parts.append((extinction - scattering, (1.0 - peak) * scattering, moments, to_sensor))
    return Particles(*(sum(part) for part in zip(*parts, strict=True)))
