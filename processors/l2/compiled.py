"""Say how kernels are compiled, and give an exponential that becomes vector instructions in single precision.

Multiplications and additions may be contracted, so results hang on what the compiler puts into one function.
That must not hang on what was compiled or read from numba's cache before: only what Python calls is kept on
disk, and all that it calls becomes part of it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

kernel = njit(cache=True, fastmath={"contract"})  # what Python calls
inner = njit(fastmath={"contract"}, forceinline=True)  # what kernels call
# the same, its sums in the order the machine likes
summing = njit(fastmath={"contract", "reassoc", "nsz"}, forceinline=True)

LARGEST = 80.0  # exp(-80) = 2e-35 is no light; beyond it the exponent bits of a float32 run out


def exp_minus(x: float) -> float:
    """Return exp(-x) for x >= -80; in single precision good to 2e-7, and x above 80 counts as 80."""
    return math.exp(-x)


@overload(exp_minus)
def _typed(x):  # type: ignore[no-untyped-def]
    if x != types.float32:
        return lambda x: math.exp(-x)
    # exp(y) = 2^k exp(r), |r| <= ln2/2: Taylor to the seventh power; ln2 in two parts (Cody & Waite 1980)
    log2e, ln2_high, ln2_low = (np.float32(v) for v in (1.44269504, 0.693359375, -2.12194440e-4))
    c7, c6, c5, c4, c3, c2 = (np.float32(1.0 / math.factorial(n)) for n in (7, 6, 5, 4, 3, 2))
    one, largest, rounding = np.float32(1.0), np.float32(LARGEST), np.float32(128.5)

    def single(x):  # type: ignore[no-untyped-def]
        y = -min(x, largest)
        k = np.int32(y * log2e + rounding) - np.int32(128)
        f = np.float32(k)
        r = (y - f * ln2_high) - f * ln2_low
        p = ((((((c7 * r + c6) * r + c5) * r + c4) * r + c3) * r + c2) * r + one) * r + one
        return p * np.int32((k + np.int32(127)) << np.int32(23)).view(np.float32)

    return single
