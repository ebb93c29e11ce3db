"""Turn a kind of aerosol, ice or water into its optical properties in each band."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import factorial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

SPECIES = ("dust", "sea_salt", "sulphate", "organic", "black_carbon", "ice", "water")
WAVELENGTH_UM = {
    "B1": 0.755,
    "B2": 1.58,
    "B3": 2.03,
    "B4": 1.27,
}  # um, optical properties are constant over a band
KEPT_TOLERANCE = 1e-5  # 1, of the forward peak: error of the phase function where moments are cut
_SIZES = 160  # radii of the size distribution
_TAIL = 5e-4  # 1, share of extinction left out at the large end
_MOMENTS_OF_LOBES = 300
_DATA = Path(__file__).parent / "data" / "particles.yaml"


@dataclass(frozen=True)
class ParticleOptics:
    """Optical properties of one kind in one band.

    extinction_ratio  over the extinction at 0.755 um
    greek  (6, moment)  a1 a2 a3 a4 b1 b2 of the scattering matrix in generalised spherical functions,
                        2l + 1 included
    """

    extinction_ratio: float
    single_scattering_albedo: float
    greek: np.ndarray

    @property
    def legendre(self) -> np.ndarray:
        """Give the moments a_l of the phase function sum a_l P_l, a_0 = 1, cut at KEPT_TOLERANCE."""
        moments = self.greek[0]
        remainder = np.cumsum(np.abs(moments[::-1]))[::-1]
        return moments[: max(3, int(np.count_nonzero(remainder > KEPT_TOLERANCE * remainder[0])))]

    @property
    def asymmetry(self) -> float:
        return float(self.greek[0, 1] / 3.0)

    def phase(self, cos_scattering: ArrayLike) -> np.ndarray:
        """Evaluate the whole phase function, mean 1 over the sphere."""
        return np.asarray(legendre.legval(np.asarray(cos_scattering, dtype=float), self.greek[0]))

    def polarised(self, cos_scattering: float) -> float:
        """Evaluate F12 on the scale of phase; below 0 the light swings across the plane of scattering."""
        functions = wigner(self.greek.shape[1], 0, 2, np.array([float(cos_scattering)]))
        return float(self.greek[4] @ functions[:, 0])


@cache
def optics(species: str, band: str) -> ParticleOptics:
    """Look up extinction and albedo, and compute the phase matrix by Mie; ice has two analytic lobes."""
    if species not in SPECIES or band not in WAVELENGTH_UM:
        raise ValueError(
            f"expected a species of {', '.join(SPECIES)} and a band B1..B4, got {species}, {band}"
        )
    wavelength_um = WAVELENGTH_UM[band]
    data = _data()
    row = data["lobes"].get(species) or data["mie"][species]
    if species in data["lobes"]:
        lobes = (_between(row[name], wavelength_um, False) for name in ("forward", "backward", "share"))
        greek = _lobe_moments(*lobes)
    else:
        greek = _mie_moments(*size_and_index(species, wavelength_um), wavelength_um)
    return ParticleOptics(
        _between(row["extinction_ratio"], wavelength_um),
        _between(row["single_scattering_albedo"], wavelength_um),
        greek,
    )


def size_and_index(species: str, wavelength_um: float) -> tuple[float, float, complex]:
    """Give median radius um, geometric standard deviation and complex index n - ik."""
    row = _data()["mie"][species]
    index = complex(
        _between(row["index_real"], wavelength_um), -_between(row["index_imaginary"], wavelength_um)
    )
    return row["median_radius_um"], row["geometric_sd"], index


def _between(values: list[float], wavelength_um: float, logarithmic: bool = True) -> float:
    """Interpolate in ln wavelength, and in ln value where it is positive by nature."""
    at = np.log(wavelength_um), np.log(_data()["wavelength_um"])
    return float(np.exp(np.interp(*at, np.log(values))) if logarithmic else np.interp(*at, values))


@cache
def _data() -> dict[str, Any]:
    return dict(yaml.safe_load(_DATA.read_text(encoding="utf-8")))


def _lobe_moments(forward: float, backward: float, share: float) -> np.ndarray:
    """Give two Henyey-Greenstein lobes that keep the state of polarisation, F = phase * 1 [A]."""
    cosines, weights = np.polynomial.legendre.leggauss(_MOMENTS_OF_LOBES)
    phase = share * _lobe(forward, cosines) + (1.0 - share) * _lobe(backward, cosines)
    return expand(np.stack((phase, 0.0 * phase, phase, 0.0 * phase)), cosines, weights, _MOMENTS_OF_LOBES)


def _lobe(asymmetry: float, cosines: np.ndarray) -> np.ndarray:
    return (1.0 - asymmetry**2) / (1.0 + asymmetry**2 - 2.0 * asymmetry * cosines) ** 1.5


def _mie_moments(median_um: float, sd: float, index: complex, wavelength_um: float) -> np.ndarray:
    """Expand the matrix of spheres, (6, moment), by a quadrature exact for its finite series."""
    sizes = _sizes(median_um, sd, index, wavelength_um)
    terms = int(sizes.parameter[-1] + 4.05 * sizes.parameter[-1] ** (1 / 3) + 2)  # Wiscombe 1980
    cosines, weights = np.polynomial.legendre.leggauss(2 * terms + 2)
    return expand(_average(sizes, index, cosines)[2], cosines, weights, 2 * terms + 1)


def expand(matrix: np.ndarray, cosines: np.ndarray, weights: np.ndarray, moments: int) -> np.ndarray:
    """Project F11 F12 F33 F34 (4, cosine) on generalised spherical functions (Mishchenko 2002, ch. 4)."""
    f11, f12, f33, f34 = weights * matrix
    factor = np.arange(moments) + 0.5
    d00, d02, d22, d2m2 = (wigner(moments, m, n, cosines) for m, n in ((0, 0), (0, 2), (2, 2), (2, -2)))
    plus, minus = d22 @ (f11 + f33), d2m2 @ (f11 - f33)
    rows = (d00 @ f11, (plus + minus) / 2, (plus - minus) / 2, d00 @ f33, d02 @ f12, d02 @ f34)
    return factor * np.stack(rows)


def wigner(count: int, m: int, n: int, cosines: np.ndarray) -> np.ndarray:
    """Give d^l_mn(acos x) for l = 0..count - 1, (l, cosine), m <= n (M. I. Mishchenko 2002, app. B)."""
    first = max(abs(m), abs(n))
    result = np.zeros((count, len(cosines)))
    result[first] = _lowest(first, m, n, cosines)
    if first == 0:
        result[1] = cosines
        first = 1
    for s in range(first, count - 1):
        before = (s + 1) * np.sqrt((s**2 - m**2) * (s**2 - n**2)) * result[s - 1]
        here = (2 * s + 1) * (s * (s + 1) * cosines - m * n) * result[s]
        result[s + 1] = (here - before) / (s * np.sqrt(((s + 1) ** 2 - m**2) * ((s + 1) ** 2 - n**2)))
    return result


def _lowest(degree: int, m: int, n: int, cosines: np.ndarray) -> np.ndarray:
    down, up = abs(m - n), abs(m + n)
    norm = np.sqrt(factorial(2 * degree) / (factorial(down) * factorial(up))) / 2.0**degree
    return norm * (1.0 - cosines) ** (down / 2) * (1.0 + cosines) ** (up / 2)


class _Sizes(NamedTuple):
    """Radii as size parameters, their share of the area, extinction efficiency times area: (size,) each."""

    parameter: np.ndarray
    area: np.ndarray
    extinction: np.ndarray


@cache
def _mie() -> Any:
    from sasktran2.mie.wrappers import LinearizedMie  # late: its package takes a second to load

    return LinearizedMie()


def _sizes(median_um: float, sd: float, index: complex, wavelength_um: float) -> _Sizes:
    """Spread radii evenly in their logarithm over the area, and leave out a tail of extinction."""
    width, middle = np.log(sd), np.log(median_um) + 2.0 * np.log(sd) ** 2  # of the area
    ln_radius = np.linspace(middle - 4.0 * width, middle + 4.5 * width, _SIZES)
    area = np.exp(-0.5 * ((ln_radius - middle) / width) ** 2)
    size = 2.0 * np.pi * np.exp(ln_radius) / wavelength_um
    extinction = area * _mie().calculate(size, index, np.ones(1)).Qext
    kept = np.cumsum(extinction) <= (1.0 - _TAIL) * extinction.sum()
    return _Sizes(size[kept], area[kept], extinction[kept])


def mie_bulk(
    median_um: float, sd: float, index: complex, wavelength_um: float, cosines: np.ndarray
) -> tuple[float, float, np.ndarray]:
    """Average Mie scattering over a log-normal number distribution of radii.

    returns  extinction efficiency of the area, single-scattering albedo, and F11 F12 F33 F34 (4, cosine)
             with the mean of F11 over the sphere 1; F12 < 0 polarises across the plane of scattering
             (C. F. Bohren and D. R. Huffman 1983, eq. 4.77)
    """
    return _average(_sizes(median_um, sd, index, wavelength_um), index, np.asarray(cosines, dtype=float))


def _average(sizes: _Sizes, index: complex, cosines: np.ndarray) -> tuple[float, float, np.ndarray]:
    mie = _mie().calculate(sizes.parameter, index, cosines)
    s1, s2 = mie.S1, mie.S2  # conjugate to Bohren and Huffman's
    parallel, across, mixed = np.abs(s2) ** 2, np.abs(s1) ** 2, s1 * np.conj(s2)
    scattering = sizes.area @ mie.Qsca
    number = 4.0 * sizes.area / sizes.parameter**2 / scattering
    elements = ((parallel + across) / 2, (parallel - across) / 2, mixed.real, mixed.imag)
    matrix = np.stack([number @ element for element in elements])
    return (
        float(sizes.extinction.sum() / sizes.area.sum()),
        float(scattering / sizes.extinction.sum()),
        matrix,
    )
