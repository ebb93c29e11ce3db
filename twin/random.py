"""Draw random numbers keyed by (seed, effect, place), so that no draw depends on another or on order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

WORD = 2**64  # Philox counts in 64-bit words


def stream(seed: int, effect: str, *place: int) -> np.random.Generator:
    """Open the stream of one effect at one place (up to 3 integers: sounding_id, band, ...).

    Key = hash(seed, effect); the place fills the upper counter words: 2**64 draws of 256 bit for each.
    """
    if len(place) > 3:
        raise ValueError(f"a stream is placed by at most 3 integers, got {len(place)}: fold them into fewer")
    digest = hashlib.blake2b(f"{int(seed)}|{effect}".encode(), digest_size=16).digest()
    counter = [0, *(int(p) % WORD for p in place), *[0] * (3 - len(place))]
    key = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array(counter, dtype=np.uint64)))


def normals(seed: int, effect: str, ids: Iterable[int], shape: tuple[int, ...] = ()) -> np.ndarray:
    """Draw standard normals  (id, *shape), each id from its own stream."""
    return np.array([stream(seed, effect, i).standard_normal(shape) for i in ids]).reshape(-1, *shape)


def sign(seed: int, effect: str, *place: int) -> int:
    """Draw -1 or +1."""
    return 1 if stream(seed, effect, *place).random() < 0.5 else -1
