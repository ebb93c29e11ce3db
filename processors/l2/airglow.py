"""Give the spectral shape of the 1.27 um O2 airglow of the upper atmosphere."""

from __future__ import annotations

import numpy as np

from processors.constants import C2, MEGARAYLEIGH

from .lines import T_REF_K, LineList

EMISSION_TEMPERATURE_K = (
    250.0  # of the layer near 46 km, US Standard Atmosphere 1976: 268 K at 46 km, 247 K at 60 km
)
BAND_CM1 = (7700.0, 8100.0)  # of O2 a1Delta - X3Sigma, 0-0
_DOPPLER = 4.301422e-7  # sqrt(2 k N_A / 1e-3 kg)/c, per sqrt(K mol g-1)


def spectra(lines: LineList, wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Return radiance (2, point), ph s-1 m-2 sr-1 um-1, vertical, of 1 MR and its slope per K."""
    warm, cold = (emission(lines, wavenumber_cm1, EMISSION_TEMPERATURE_K + d) for d in (5.0, -5.0))
    return np.stack([emission(lines, wavenumber_cm1, EMISSION_TEMPERATURE_K), (warm - cold) / 10.0])


def emission(lines: LineList, wavenumber_cm1: np.ndarray, temperature_k: float) -> np.ndarray:
    """Return radiance (point), ph s-1 m-2 sr-1 um-1, of 1 MR seen vertically through no absorption.

    The whole band's lines share the photons, also those outside the grid. Doppler lines with photon rates
    proportional to A g' exp(-c2 E'/T), found from the absorption strengths by S nu^2 exp(c2 E''/296)
    exp(-c2 (E''+nu)/T).
    """
    lines = lines.within(*BAND_CM1)
    center, energy = lines.center_cm1, lines.lower_energy_cm1
    log_rate = np.log(lines.strength * center**2) + C2 * energy / T_REF_K
    log_rate -= C2 * (energy + center) / temperature_k
    rate = np.exp(log_rate - log_rate.max())
    rate /= rate.sum()
    width = center * _DOPPLER * np.sqrt(temperature_k / lines.mass_g_mol)
    per_cm1 = np.zeros_like(wavenumber_cm1)
    for nu, share, w in zip(center, rate, width, strict=True):
        lo, hi = np.searchsorted(wavenumber_cm1, [nu - 6.5 * w, nu + 6.5 * w])
        if hi > lo:
            per_cm1[lo:hi] += (
                share * np.exp(-(((wavenumber_cm1[lo:hi] - nu) / w) ** 2)) / (w * np.sqrt(np.pi))
            )
    per_um = wavenumber_cm1**2 * 1e-4  # |d nu / d lambda|, cm-1 per um
    return MEGARAYLEIGH * per_cm1 * per_um
