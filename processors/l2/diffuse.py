"""Compute the light scattered more than once, or between air and ground, by successive orders of scattering.

Rayleigh scattering is weak in these bands (optical depth 0.026 in B1), so a few orders converge; the light is
smooth in the absorption, so it is computed at few points and carried to the others by a regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ORDERS = 4  # a fifth would add 2e-5 of the B1 continuum over vegetation
STREAMS = 4  # per hemisphere
TRAINING_POINTS = 48
# Gauss points in the square root of mu: thin layers send most of their light near the horizon
_X, _W = np.polynomial.legendre.leggauss(STREAMS)
MU, WEIGHT = (0.5 * (_X + 1.0)) ** 2, 0.5 * _W * (_X + 1.0)

DEPOLARISATION = 0.0279  # of air in the near infrared (Bodhaine 1999, Young 1981)
_GAMMA = DEPOLARISATION / (2.0 - DEPOLARISATION)


def rayleigh_phase(cos_scattering: float) -> float:
    """Return the phase function, mean 1 over the sphere, depolarisation included (Young 1981)."""
    return 3.0 / (4.0 * (1.0 + 2.0 * _GAMMA)) * (1.0 + 3.0 * _GAMMA + (1.0 - _GAMMA) * cos_scattering**2)


def rayleigh_cross_section(wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Return the scattering cross-section of air (point), cm2 (Bucholtz 1995, fit above 0.5 um)."""
    um = 1e4 / wavenumber_cm1
    return 4.01061e-28 * um ** -(3.99668 + 1.10298e-3 * um + 2.71393e-2 / um)


@dataclass(frozen=True)
class Slab:
    """Layers at a few points: optical depth and its Rayleigh part (layer, point), plane-parallel."""

    tau: np.ndarray
    ray: np.ndarray
    mu0: float
    mu: float
    raa_deg: float
    albedo: np.ndarray  # (point) of a Lambertian surface; 0 over water, whose glint couples to no sky light


def _fourier_phase(mu_in: np.ndarray, mu_out: np.ndarray, order: int) -> np.ndarray:
    """Return the azimuthal component of the phase function (out, in); mu > 0 is upward travel."""
    phi = (np.arange(8) + 0.5) * np.pi / 8  # exact for the cos 2 phi that Rayleigh holds
    sines = np.sqrt(1.0 - mu_out**2)[:, None] * np.sqrt(1.0 - mu_in**2)[None, :]
    cos_angle = mu_out[:, None] * mu_in[None, :]
    values = rayleigh_phase(cos_angle[..., None] + sines[..., None] * np.cos(phi))
    return (values * np.cos(order * phi)).mean(axis=-1) * (1.0 if order == 0 else 2.0)


def multiple_scattering(slab: Slab) -> np.ndarray:
    """Return radiance/irradiance (point) of all light but the direct beam and single scattering off the beam.

    Irradiance is on a plane normal to the Sun. Azimuth: raa 0 has Sun and sensor on one side.
    """
    total = np.zeros(slab.tau.shape[1])
    for order in range(3):
        # photon travel directions: the Sun's beam moves away from the Sun's azimuth
        azimuth = np.cos(order * (np.pi - np.radians(slab.raa_deg)))
        if order == 0 or abs(azimuth) > 0.0:
            total += azimuth * _one_component(slab, order)
    return total


def _one_component(slab: Slab, order: int) -> np.ndarray:
    """Sum the orders of scattering of one azimuthal component in the sensor's direction (point)."""
    points = slab.tau.shape[1]
    albedo = slab.albedo if order == 0 else np.zeros(points)
    mu_all = np.concatenate([MU, -MU])  # up, then down
    w_all = np.concatenate([WEIGHT, WEIGHT]) / 2.0
    omega = slab.ray / slab.tau
    sun_phase = _fourier_phase(np.array([-slab.mu0]), mu_all, order)[:, 0]
    phase = _fourier_phase(mu_all, mu_all, order) * (1.0 if order == 0 else 0.5)
    phase_view = _fourier_phase(mu_all, np.array([slab.mu]), order)[0] * (1.0 if order == 0 else 0.5)
    at_ground = np.exp(-slab.tau.sum(axis=0) / slab.mu0)
    above = np.exp(-(np.cumsum(slab.tau, axis=0) - slab.tau) / slab.mu0)
    beam = above * _mean_transmittance(slab.tau / slab.mu0)
    source = omega[..., None] * beam[..., None] * sun_phase / (4.0 * np.pi)
    ground = albedo / np.pi * slab.mu0 * at_ground  # radiance leaving the surface, order by order
    view = np.zeros(points)
    for _ in range(ORDERS):
        field, down = _transport(slab.tau, source, ground)
        scattered = omega[..., None] * (field * w_all)
        source = np.einsum("lpi,oi->lpo", scattered, phase)
        ground = 2.0 * albedo * (down * WEIGHT * MU).sum(axis=1)
        view += _towards(slab, np.einsum("lpi,i->lp", scattered, phase_view), ground)
    return view


def _mean_transmittance(x: np.ndarray) -> np.ndarray:
    """Return (1 - exp(-x))/x, the transmittance averaged over a layer."""
    return np.where(x < 1e-6, 1.0 - 0.5 * x, -np.expm1(-x) / np.maximum(x, 1e-30))


def _transport(tau: np.ndarray, source: np.ndarray, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Carry the source of each layer along the streams.

    source (layer, point, stream: up then down); ground (point) isotropic upward radiance.
    Returns layer-mean radiance (layer, point, stream) and downward radiance at the surface (point, stream).
    """
    t = np.exp(-tau[..., None] / MU)
    mean_t = _mean_transmittance(tau[..., None] / MU)
    field = np.empty_like(source)
    down = np.zeros((tau.shape[1], STREAMS))
    for l in range(tau.shape[0]):
        own = source[l, :, STREAMS:]
        field[l, :, STREAMS:] = own + (down - own) * mean_t[l]
        down = own + (down - own) * t[l]
    up = np.repeat(ground[:, None], STREAMS, axis=1)
    for l in range(tau.shape[0] - 1, -1, -1):
        own = source[l, :, :STREAMS]
        field[l, :, :STREAMS] = own + (up - own) * mean_t[l]
        up = own + (up - own) * t[l]
    return field, down


def _towards(slab: Slab, source: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Carry a source (layer, point) and the surface's radiance to the sensor (point)."""
    x = slab.tau / slab.mu
    above = np.exp(-(np.cumsum(x, axis=0) - x))
    emitted = (source * x * _mean_transmittance(x) * above).sum(axis=0)
    return emitted + ground * np.exp(-x.sum(axis=0))
