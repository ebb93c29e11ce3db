"""Convolve monochromatic spectra with the spectral response of each spectel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit


@dataclass(frozen=True)
class Response:
    """Spectral response of one band and field of view, as the calibration data give it."""

    node: np.ndarray  # (node,) spectel positions, linear between
    offset_nm: np.ndarray  # (offset,) evenly spaced
    isrf: np.ndarray  # (node, offset) nm-1


@njit(cache=True)
def convolve(
    fields: np.ndarray,
    wavelength_nm: np.ndarray,
    center_nm: np.ndarray,
    node: np.ndarray,
    offset_nm: np.ndarray,
    isrf: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return fields seen by each spectel (field, spectel) and the derivative of field 0 by wavelength, nm-1.

    fields (field, point) at descending wavelength_nm (point), as an ascending wavenumber grid gives;
    center_nm (spectel,) ascending. Weights are normalised to 1 over the points: a constant comes out exactly.
    """
    count, points = fields.shape
    out = np.empty((count, center_nm.size))
    slope = np.empty(center_nm.size)
    first, step, taps = offset_nm[0], offset_nm[1] - offset_nm[0], offset_nm.size
    last = first + step * (taps - 1)
    weight, dweight = np.empty(points), np.empty(points)
    start = 0
    for s in range(center_nm.size - 1, -1, -1):
        k = min(max(int(np.searchsorted(node, s, side="right")) - 1, 0), node.size - 2)
        mix = (s - node[k]) / (node[k + 1] - node[k])
        while start < points and wavelength_nm[start] - center_nm[s] >= last:
            start += 1
        total, dtotal, n = 0.0, 0.0, 0
        for j in range(start, points):
            position = (wavelength_nm[j] - center_nm[s] - first) / step
            if position < 0.0:
                break
            i = min(max(int(position), 1), taps - 3)
            f = position - i
            # Catmull-Rom through four taps: the weight and its derivative are continuous
            y0 = (1.0 - mix) * isrf[k, i - 1] + mix * isrf[k + 1, i - 1]
            y1 = (1.0 - mix) * isrf[k, i] + mix * isrf[k + 1, i]
            y2 = (1.0 - mix) * isrf[k, i + 1] + mix * isrf[k + 1, i + 1]
            y3 = (1.0 - mix) * isrf[k, i + 2] + mix * isrf[k + 1, i + 2]
            c1 = 0.5 * (y2 - y0)
            c2 = y0 - 2.5 * y1 + 2.0 * y2 - 0.5 * y3
            c3 = 1.5 * (y1 - y2) + 0.5 * (y3 - y0)
            width = wavelength_nm[max(j - 1, 0)] - wavelength_nm[min(j + 1, points - 1)]
            weight[n] = (((c3 * f + c2) * f + c1) * f + y1) * width
            dweight[n] = -((3.0 * c3 * f + 2.0 * c2) * f + c1) / step * width  # by the spectel's wavelength
            total += weight[n]
            dtotal += dweight[n]
            n += 1
        if total <= 0.0:  # the spectel lies outside the grid
            out[:, s] = np.nan
            slope[s] = np.nan
            continue
        for c in range(count):
            acc = 0.0
            for j in range(n):
                acc += weight[j] * fields[c, start + j]
            out[c, s] = acc / total
        acc = 0.0
        for j in range(n):
            acc += dweight[j] * fields[0, start + j]
        slope[s] = (acc - out[0, s] * dtotal) / total
    return out, slope
