"""Sums of products in double precision against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from processors.l2 import gram, scattered
from processors.l2.nodes import RCOND


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rows", range(1, 10))
def test_products_of_any_number_of_rows(rows, order, kind):
    """Blocks of two by four leave rests; numbers in single precision are summed in double."""
    rounding, rng = 1e-13, np.random.default_rng(rows)
    a = np.asarray(rng.normal(size=(rows, 1021)), kind, order=order)
    residual, exact = rng.normal(size=1021), a.astype(np.float64)
    np.testing.assert_allclose(gram.gram(a), exact @ exact.T, rtol=rounding, atol=1021 * rounding)
    np.testing.assert_allclose(gram.pull(a, residual), exact @ residual, rtol=rounding, atol=1021 * rounding)


@pytest.mark.parametrize("size", [1, 5, 45])
def test_solve_is_the_inverse_times_the_right_side(size):
    """Also where rounding has left a matrix indefinite, and where it is only symmetric to rounding."""
    rng = np.random.default_rng(size)
    a = rng.normal(size=(size, size + 3))
    matrix, right = a @ a.T, rng.normal(size=size)
    matrix[0, -1] *= 1.0 + 1e-15
    np.testing.assert_allclose(matrix @ gram.solve(matrix, right), right, atol=1e-9)
    indefinite = matrix - 2.0 * matrix[0, 0] * np.diag(np.arange(size) == 0)
    np.testing.assert_allclose(indefinite @ gram.solve(indefinite, right), right, atol=1e-9)


def test_fit_of_functions_is_the_pseudo_inverse():
    """Of functions of which one is all but the sum of two others and one of another size."""
    rng = np.random.default_rng(2)
    functions = np.abs(rng.normal(size=(3, 12, 48))).astype(np.float32)
    functions[:, 5] = functions[:, 1] + functions[:, 2]
    functions[:, 7] *= 1e-2
    exact = np.linalg.pinv(np.swapaxes(functions, 1, 2).astype(np.float64), rcond=RCOND)
    found = scattered._inverse(functions.astype(np.float64))
    np.testing.assert_allclose(found, exact, atol=1e-8 * np.abs(exact).max())
