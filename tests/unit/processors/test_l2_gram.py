"""Sums of products in double precision against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from processors.l2 import gram


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
