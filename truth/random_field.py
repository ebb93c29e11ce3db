"""Turn seed, place and time into smooth Gaussian random numbers, whatever the order of the calls."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from truth.constants import EARTH_MEAN_RADIUS

WIND = 10.0  # m s-1, speed at which a structure of the field passes and decays
_BLOCK = 1024  # points at a time, so that their waves stay in the cache
_MODES = 256  # plane waves a scale; the variance of one realisation scatters by about sqrt(2/256)


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
    """Draw wave vectors (mode, 3) rad m-1, frequencies rad s-1, phases rad and amplitudes (mode,)."""
    generator = keyed_generator(seed, f"{effect}/{scale.length_m:.3f}")
    wave_vector = generator.normal(0.0, 1.0 / scale.length_m, (_MODES, 3))
    frequency = generator.normal(0.0, WIND / scale.length_m, _MODES)
    cosine, sine = generator.normal(0.0, scale.sigma / np.sqrt(_MODES), (2, _MODES))
    return wave_vector, frequency, np.arctan2(sine, cosine), np.hypot(sine, cosine)


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
    place = EARTH_MEAN_RADIUS * unit_vector(latitude, longitude).reshape(-1, 3)
    seconds, total = time.ravel(), np.zeros(place.shape[0])
    for scale in scales:
        wave_vector, frequency, offset, amplitude = _modes(seed, effect, scale)
        for start in range(0, len(total), _BLOCK):
            block = slice(start, start + _BLOCK)
            phase = place[block] @ wave_vector.T
            phase += np.outer(seconds[block], frequency) - offset
            total[block] += np.cos(phase, out=phase) @ amplitude
    return total.reshape(latitude.shape)


def unit_vector(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> np.ndarray:
    """Point along the vertical, (..., 3)."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        (np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)),
        axis=-1,
    )
