"""Turn seed, place and time into smooth Gaussian random numbers, whatever the order of the calls."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from math import factorial
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from truth.constants import EARTH_MEAN_RADIUS

WIND = 10.0  # m s-1, speed at which a structure of the field passes and decays
_MODES = 256  # plane waves a scale; the variance of one realisation scatters by about sqrt(2/256)
_TURN = 2.0 * np.pi  # rad
_SINE = tuple(  # of sin(2 pi q) = sum c_n q^(2n+1), cut at 6e-12 for q up to a quarter
    float((-1) ** n * _TURN ** (2 * n + 1) / factorial(2 * n + 1)) for n in range(8)
)


class Scale(NamedTuple):
    """One Gaussian-correlated part of a field: length in metres, standard deviation in the field's unit."""

    length_m: float
    sigma: float


def keyed_generator(seed: int, effect: str) -> np.random.Generator:
    """Open the random stream of one effect; the same key always gives the same numbers."""
    digest = hashlib.blake2b(f"{seed}/{effect}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, dtype=np.uint64)))


@lru_cache(maxsize=64)
def _modes(seed: int, effect: str, scale: Scale) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw wave vectors (3, mode) turns m-1, frequencies turns s-1, amplitudes and delays (mode,) turns."""
    generator = keyed_generator(seed, f"{effect}/{scale.length_m:.3f}")
    wave_vector = generator.normal(0.0, 1.0 / scale.length_m, (_MODES, 3))
    frequency = generator.normal(0.0, WIND / scale.length_m, _MODES)
    cosine, sine = generator.normal(0.0, scale.sigma / np.sqrt(_MODES), (2, _MODES))
    wave_vector = np.ascontiguousarray(wave_vector.T) / _TURN
    return wave_vector, frequency / _TURN, np.hypot(cosine, sine), np.arctan2(sine, cosine) / _TURN


def random_field(
    seed: int,
    effect: str,
    scales: tuple[Scale, ...],
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    time_s: ArrayLike,
) -> np.ndarray:
    """Sum plane waves through a sphere, zero mean.

    Correlation of a scale L: exp(-d2/2L2) over the chord d, exp(-(u t)2/2L2) over the time t with u = WIND.
    latitude_deg, longitude_deg, time_s  (...)  broadcastable; time since any fixed epoch
    """
    latitude, longitude, time = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (latitude_deg, longitude_deg, time_s))
    )
    x, y, z = EARTH_MEAN_RADIUS * unit_vector(latitude, longitude).reshape(-1, 3).T
    total = np.zeros(x.size)
    for scale in scales:
        _add_waves(total, x, y, z, time.flatten(), *_modes(seed, effect, scale))
    return total.reshape(latitude.shape)


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _add_waves(
    total: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    time: np.ndarray,
    wave_vector: np.ndarray,
    frequency: np.ndarray,
    amplitude: np.ndarray,
    delay: np.ndarray,
) -> None:
    """Add the waves to the points of total; the cosine is a series, which the compiler can vectorise."""
    k_x, k_y, k_z = wave_vector
    for i in range(total.size):
        field = 0.0
        for m in range(amplitude.size):
            turns = x[i] * k_x[m] + y[i] * k_y[m] + z[i] * k_z[m] + time[i] * frequency[m] - delay[m]
            quarter = 0.25 - abs(turns - np.rint(turns))  # cos of the turns is sin of this, within a quarter
            q2 = quarter * quarter
            series = _SINE[7]
            for term in (6, 5, 4, 3, 2, 1, 0):
                series = series * q2 + _SINE[term]
            field += amplitude[m] * quarter * series
        total[i] += field


def unit_vector(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> np.ndarray:
    """Point along the vertical, (..., 3)."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)),
        axis=-1,
    )
