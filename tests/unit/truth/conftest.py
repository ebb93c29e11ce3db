"""A doubling code, independent of every other solver here."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture(scope="session")
def doubled() -> Callable[..., np.ndarray]:
    """Reflect from a layer 2^count times as deep as that of r, t and direct beam (Hansen 1971)."""

    def double(r: np.ndarray, t: np.ndarray, beam: np.ndarray, times: np.ndarray, count: int) -> np.ndarray:
        for _ in range(count):
            q = np.linalg.solve(np.eye(len(beam)) - r @ times @ r @ times, r @ times @ r)
            down = t + q * beam + q @ times @ t
            up = r * beam + r @ times @ down
            r, t = (
                r + beam[:, None] * up + t @ times @ up,
                beam[:, None] * down + t * beam + t @ times @ down,
            )
            beam = beam**2
        return r

    return double
