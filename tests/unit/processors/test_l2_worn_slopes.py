"""Searches whose K is of another state: it has to be asked for anew where it leads astray or hardly on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from processors.l2 import inverse

WEIGHT = np.linspace(0.5, 1.5, 40)
NOISE = 0.3


def decaying(x: float) -> tuple[np.ndarray, np.ndarray]:
    light = np.exp(-x * WEIGHT)
    return light, -WEIGHT * light


def saturating(x: float) -> tuple[np.ndarray, np.ndarray]:
    return 4.0 * np.arctan(x * WEIGHT), 4.0 * WEIGHT / (1.0 + (x * WEIGHT) ** 2)


def searched(
    model, stretch: float, y: np.ndarray, noise: float = NOISE
) -> tuple[inverse.Solution, list[inverse.Asked]]:
    """Search model(stretch * x) from 0 with prior 0 +- 1; return the end and all that was asked."""
    measured = inverse.Measurement(y, np.full(y.size, 1.0 / noise**2))
    hunt = inverse.search(measured, inverse.Given(np.zeros(1), np.eye(1)), 15)
    asked = [next(hunt)]
    while True:
        F, slope = model(stretch * float(asked[-1].x[0]))
        parts = [(slice(None), np.arange(1), stretch * slope[:, None])] if asked[-1].slopes else []
        try:
            asked.append(hunt.send(inverse.Modelled(F, parts)))
        except StopIteration as end:
            return end.value, asked


# Of each, slopes at the start and at the end are so unlike that K of the way is worn out in most
@pytest.mark.parametrize("model", [decaying, saturating])
@pytest.mark.parametrize("stretch", [2.0, 3.0, 4.0])
@pytest.mark.parametrize("truth", [1.0, 1.25, 1.5, 2.0])
def test_worn_slopes_are_asked_for_anew(model, stretch, truth):
    """The end is within a quarter of sigma of the least cost, in 12 calls at most."""
    quarter_sigma, most = 0.25, 12
    y = model(truth * stretch)[0]
    found, asked = searched(model, stretch, y)
    least = minimize_scalar(
        lambda x: np.sum(((y - model(stretch * x)[0]) / NOISE) ** 2) + x * x, bracket=(0.5 * truth, truth)
    ).x
    assert found.converged
    assert len(asked) <= most
    assert abs(found.x[0] - least) * np.sqrt(found.information[0, 0] + 1.0) < quarter_sigma


def test_after_a_worse_step_slopes_are_asked_for_where_it_began():
    """The step was by K of a state before; a shorter one by the same K would be no better."""
    _, asked = searched(decaying, 3.0, decaying(3.0 * 1.25)[0])
    again = [n for n in range(2, len(asked)) if any(np.array_equal(asked[n].x, a.x) for a in asked[:n])]
    assert again
    assert all(asked[n].slopes for n in again)


def test_slopes_that_have_not_halved_the_way_do_not_serve_again():
    """Steps by K of the start would each leave two thirds of the way: 12 calls instead of 7."""
    found, asked = searched(decaying, 4.0, decaying(4.0 * 0.75)[0], noise=0.5)
    assert found.converged
    assert len(asked) <= 8
