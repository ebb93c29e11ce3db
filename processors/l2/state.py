"""Define the state vector: its blocks, their prior values and covariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .atmosphere import SIGMA, T_NODES_PA

GLINT = 1  # operation_mode over the sea; nadir, target and city look at land

# 1 sigma of the prior; CO2 after the shape of OCO-2's covariance, scaled to SIGMA_XCO2_PPM.
SIGMA_XCO2_PPM = 12.0
SIGMA_PSURF_HPA = 4.0
SIGMA_T_K, T_CORRELATION_PA = 1.5, 20_000.0
SIGMA_T_OFFSET_K = 2.0
SIGMA_H2O = 0.5
SIGMA_WIND_M_S = 3.0
SIGMA_SURFACE_GLINT = (0.1, 0.01, 0.005)  # of the polynomial that multiplies the sea's reflectance
SIGMA_ALBEDO = (0.5, 0.1, 0.05)
SIGMA_DISPERSION_NM = (0.005, 0.001)  # shift, and stretch at the band's edge
SIGMA_SIF = 1.5  # W m-2 um-1 sr-1 at 740 nm; published maxima are about 2
SIGMA_AIRGLOW = (15.0, 300.0)  # MR; MR K, about 15 K of emission temperature


@dataclass(frozen=True)
class Block:
    """A named slice of the state vector with prior mean and covariance."""

    name: str
    prior: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class StateVector:
    """Blocks in their order; `x[sv["psurf"]]` addresses one."""

    blocks: tuple[Block, ...]

    def __getitem__(self, name: str) -> slice:
        start = 0
        for block in self.blocks:
            if block.name == name:
                return slice(start, start + block.prior.size)
            start += block.prior.size
        raise KeyError(name)

    def __contains__(self, name: str) -> bool:
        return any(block.name == name for block in self.blocks)

    @property
    def x_a(self) -> np.ndarray:
        """Prior mean (state)."""
        return np.concatenate([block.prior for block in self.blocks])

    @property
    def S_a(self) -> np.ndarray:
        """Prior covariance (state, state), block diagonal."""
        n = sum(block.prior.size for block in self.blocks)
        out = np.zeros((n, n))
        for block in self.blocks:
            out[self[block.name], self[block.name]] = block.covariance
        return out


def co2_covariance() -> np.ndarray:
    """Return the CO2 prior covariance (level, level), ppm2: largest at the surface."""
    sigma = 0.15 + 0.85 * SIGMA**2
    s = np.outer(sigma, sigma) * np.exp(-np.abs(SIGMA[:, None] - SIGMA[None, :]) / 0.3)
    h = np.gradient(SIGMA)
    h /= h.sum()
    return s * SIGMA_XCO2_PPM**2 / (h @ s @ h)


def temperature_covariance() -> np.ndarray:
    """Return the covariance (node, node), K2, of temperature shifts: structure and a common offset."""
    distance = np.abs(T_NODES_PA[:, None] - T_NODES_PA[None, :])
    return SIGMA_T_K**2 * np.exp(-distance / T_CORRELATION_PA) + SIGMA_T_OFFSET_K**2


def build(
    co2_prior_ppm: np.ndarray,
    psurf_prior_hpa: float,
    wind_m_s: float,
    glint: bool,
    continuum: np.ndarray,
    fluorescence: bool = True,
) -> StateVector:
    """Lay out the state for one sounding; continuum (band) is the reflectance read off its own spectra.

    A sea in glint has wind, land its albedo and, if wanted, the fluorescence of its plants.
    """
    blocks = [
        Block("co2", co2_prior_ppm, co2_covariance()),
        _diagonal("psurf", [psurf_prior_hpa], [SIGMA_PSURF_HPA]),
        Block("temperature", np.zeros(T_NODES_PA.size), temperature_covariance()),
        _diagonal("h2o", [1.0], [SIGMA_H2O]),
    ]
    if glint:
        blocks.append(_diagonal("wind", [wind_m_s], [SIGMA_WIND_M_S]))
    for band, reflectance in enumerate(continuum):
        prior, sigma = (1.0, SIGMA_SURFACE_GLINT) if glint else (float(reflectance), SIGMA_ALBEDO)
        blocks.append(_diagonal(f"surface_{band}", [prior, 0.0, 0.0], sigma))
        blocks.append(_diagonal(f"dispersion_{band}", [0.0, 0.0], SIGMA_DISPERSION_NM))
    blocks.append(_diagonal("airglow", [20.0, 0.0], SIGMA_AIRGLOW))
    if fluorescence and not glint:
        blocks.append(_diagonal("sif", [0.0], [SIGMA_SIF]))
    return StateVector(tuple(blocks))


def _diagonal(name: str, prior: list[float], sigma: tuple[float, ...] | list[float]) -> Block:
    return Block(name, np.array(prior, dtype=float), np.diag(np.square(sigma)))
