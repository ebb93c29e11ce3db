"""Define the state vector: its blocks, their prior values and covariances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from .atmosphere import H2O_NODES_PA, SIGMA, T_NODES_PA
from .bands import BANDS

GLINT = 1  # operation_mode over the sea; nadir, target and city look at land

# 1 sigma of the prior; CO2 after the shape of OCO-2's covariance, scaled to SIGMA_XCO2_PPM.
SIGMA_XCO2_PPM = 12.0
SIGMA_PSURF_HPA = 4.0
SIGMA_T_K, T_CORRELATION_PA = 1.5, 20_000.0
SIGMA_T_OFFSET_K = 2.0
SIGMA_H2O, SIGMA_H2O_SHAPE = 0.5, 0.15  # common to all heights; of each node, as forecasts err
SIGMA_WIND_M_S = 3.0  # the element is the logarithm of the wind: the glint is nearly linear in it
SIGMA_LN_WIND = (0.2, 0.6)  # at least, at most
PRIOR_WIND_M_S = (0.5, 50.0)  # what is forecast is taken as at least, at most
SIGMA_SURFACE_GLINT = (0.1, 0.01, 0.005)  # of the polynomial that multiplies the sea's reflectance
SIGMA_ALBEDO = (0.5, 0.1, 0.05)
SIGMA_DISPERSION_NM = (0.005, 0.001)  # shift, and stretch at the band's edge
SIGMA_ISRF_WIDTH = 0.01  # relative
SIGMA_ZERO_LEVEL = 0.002  # of the continuum
SIGMA_SHAPE = 0.5  # of how else than told land meets the light of the sky; 1: as from Lambertian to typical
SIGMA_SIF = 1.5  # W m-2 um-1 sr-1 at 740 nm; published maxima are about 2
SIGMA_AIRGLOW = (15.0, 300.0)  # MR; MR K, about 15 K of emission temperature


@dataclass(frozen=True)
class ParticleType:
    """A kind of particle the state has: optical depth at 0.755 um, height and width of its layer in p/p_s.

    The spectra are nearly linear in the depth, which can be below 0 as noise about none asks for.
    """

    optics: str  # row of the auxiliary table
    depth: float
    sigma_depth: float
    height: float
    sigma_height: float
    width: float


PARTICLES = (
    ParticleType("fine", 0.03, 0.10, 0.85, 0.15, 0.08),
    ParticleType("coarse", 0.03, 0.10, 0.85, 0.15, 0.08),
    ParticleType("ice", 0.003, 0.03, 0.22, 0.08, 0.04),
)


@dataclass(frozen=True)
class Options:
    """What a job lets the retrieval fit; bands by index."""

    bands: tuple[int, ...] = (0, 1, 2, 3)
    particles: tuple[ParticleType, ...] = PARTICLES
    fluorescence: bool = True
    airglow: bool = True
    dispersion: tuple[int, ...] = (0, 1, 2, 3)
    brdf: bool = True  # land meets the light of the sky as told, but for a shape that is fitted; or alike
    isrf_width: tuple[int, ...] = ()
    zero_level: tuple[int, ...] = ()
    isrf_width_sigma: float = SIGMA_ISRF_WIDTH
    zero_level_sigma: float = SIGMA_ZERO_LEVEL


@dataclass(frozen=True)
class Block:
    """A named slice of the state vector with prior mean and 1 sigma; CORRELATION says how they hang
    together."""

    name: str
    prior: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True)
class StateVector:
    """Blocks in their order; `x[sv["psurf"]]` addresses one."""

    blocks: tuple[Block, ...]

    @cached_property
    def _shared(self) -> _Layout:
        return _layout(tuple((block.name, block.prior.size) for block in self.blocks))

    @property
    def slices(self) -> dict[str, slice]:
        return self._shared.slices

    def __getitem__(self, name: str) -> slice:
        return self.slices[name]

    def __contains__(self, name: str) -> bool:
        return name in self.slices

    @property
    def linear(self) -> np.ndarray:
        """Elements (index) in which the light is all but linear: the polynomials of the surface."""
        return self._shared.linear

    @property
    def absorbing(self) -> np.ndarray:
        """Elements (index) that take away a share of the light."""
        return self._shared.absorbing

    @property
    def layout(self) -> tuple[str, ...]:
        """Names of the blocks; soundings of one layout can be worked on together."""
        return tuple(self.slices)

    @cached_property
    def x_a(self) -> np.ndarray:
        """Prior mean (state)."""
        return np.concatenate([block.prior for block in self.blocks])

    @cached_property
    def sigma(self) -> np.ndarray:
        """Prior 1 sigma (state)."""
        return np.concatenate([block.sigma for block in self.blocks])

    @cached_property
    def S_a(self) -> np.ndarray:
        """Prior covariance (state, state), block diagonal."""
        return np.asarray(self._shared.correlation * np.outer(self.sigma, self.sigma))

    @property
    def prior(self) -> np.ndarray:
        """Inverse of the prior covariance in units of sigma (state, state); not to be written to."""
        return self._shared.prior


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


def h2o_covariance() -> np.ndarray:
    """Return the covariance (node, node) of the factors of humidity: a common one and one of each node."""
    return SIGMA_H2O**2 + SIGMA_H2O_SHAPE**2 * np.eye(H2O_NODES_PA.size)


# Of the blocks whose elements hang together
COVARIANCE = {"co2": co2_covariance(), "temperature": temperature_covariance(), "h2o": h2o_covariance()}


@dataclass(frozen=True)
class _Layout:
    """What state vectors of the same blocks share, see StateVector."""

    slices: dict[str, slice]
    linear: np.ndarray
    absorbing: np.ndarray
    correlation: np.ndarray  # (state, state)
    prior: np.ndarray


@cache
def _layout(sizes: tuple[tuple[str, int], ...]) -> _Layout:
    """Lay out blocks of these names and sizes."""
    ends = np.cumsum([size for _, size in sizes]).tolist()
    slices = {name: slice(end - size, end) for (name, size), end in zip(sizes, ends, strict=True)}
    both = np.zeros((2, ends[-1], ends[-1]))
    for name, size in sizes:
        own, correlation = slices[name], np.eye(size)
        if name in COVARIANCE:
            sigma = np.sqrt(np.diag(COVARIANCE[name]))
            correlation = COVARIANCE[name] / np.outer(sigma, sigma)
        both[0, own, own], both[1, own, own] = correlation, np.linalg.inv(correlation)
    both.flags.writeable = False
    surface = [name for name in slices if name.startswith("surface")]
    linear, absorbing = (
        np.concatenate([np.arange(slices[name].start, slices[name].stop) for name in names])
        for names in (surface, ("co2", "psurf", "temperature", "h2o"))
    )
    linear.flags.writeable = absorbing.flags.writeable = False
    return _Layout(slices, linear, absorbing, both[0], both[1])


def build(
    co2_prior_ppm: np.ndarray,
    psurf_prior_hpa: float,
    wind_m_s: float,
    glint: bool,
    continuum: np.ndarray,
    options: Options = Options(),
) -> StateVector:
    """Lay out the state for one sounding; continuum (band) is the reflectance read off its own spectra.

    A sea in glint has wind, land its albedo and, if wanted, the fluorescence of its plants.
    """
    names = [BANDS[b].name for b in options.bands]
    blocks = [
        _correlated("co2", co2_prior_ppm),
        _block("psurf", [psurf_prior_hpa], [SIGMA_PSURF_HPA]),
        _correlated("temperature", np.zeros(T_NODES_PA.size)),
        _correlated("h2o", np.ones(H2O_NODES_PA.size)),
    ]
    if options.particles:
        types = options.particles
        blocks.append(_block("depth", [p.depth for p in types], [p.sigma_depth for p in types]))
        blocks.append(_block("height", [p.height for p in types], [p.sigma_height for p in types]))
    if glint:
        wind = float(np.clip(wind_m_s, *PRIOR_WIND_M_S))
        sigma = float(np.clip(SIGMA_WIND_M_S / wind, *SIGMA_LN_WIND))
        blocks.append(_block("ln_wind", [np.log(wind)], [sigma]))
    for band in options.bands:
        level, spread = (1.0, SIGMA_SURFACE_GLINT) if glint else (float(continuum[band]), SIGMA_ALBEDO)
        blocks.append(_block(f"surface_{band}", [level, 0.0, 0.0], spread))
        if band in options.dispersion:
            blocks.append(_block(f"dispersion_{band}", [0.0, 0.0], SIGMA_DISPERSION_NM))
        if band in options.isrf_width:
            blocks.append(_block(f"isrf_width_{band}", [0.0], [options.isrf_width_sigma]))
        if band in options.zero_level:
            blocks.append(_block(f"zero_level_{band}", [0.0], [options.zero_level_sigma]))
    if options.brdf and not glint:
        blocks.append(_block("shape", [0.0], [SIGMA_SHAPE]))
    if options.airglow and "B4" in names:
        blocks.append(_block("airglow", [20.0, 0.0], SIGMA_AIRGLOW))
    if options.fluorescence and not glint and "B1" in names:
        blocks.append(_block("sif", [0.0], [SIGMA_SIF]))
    return StateVector(tuple(blocks))


def _block(name: str, prior: Sequence[float], sigma: Sequence[float]) -> Block:
    return Block(name, np.array(prior, dtype=float), np.array(sigma, dtype=float))


def _correlated(name: str, prior: np.ndarray) -> Block:
    return Block(name, prior, np.sqrt(np.diag(COVARIANCE[name])))
