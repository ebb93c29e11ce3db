"""Compute monochromatic radiance and its derivatives: sunlight reflected or scattered once, fluorescence."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

BLOCK = 256  # points worked on at once, so that the per-layer fields stay in the cache


@njit(cache=True)
def _cubic(c: np.ndarray, lo: int, hi: int, t: float, value: np.ndarray, slope: np.ndarray) -> None:
    """Evaluate the cubics c (4, point) and their slopes at t for points lo..hi-1."""
    for j in range(hi - lo):
        c0, c1, c2, c3 = c[0, lo + j], c[1, lo + j], c[2, lo + j], c[3, lo + j]
        value[j] = ((c3 * t + c2) * t + c1) * t + c0
        slope[j] = (3.0 * c3 * t + 2.0 * c2) * t + c1


@njit(cache=True)
def _accumulate(entries, coefs, a, scatter, s1, s2, td, mix, cia, ray, jac, lo, n):  # type: ignore[no-untyped-def]
    """Add every non-zero layer derivative to its column of the Jacobian."""
    for e in range(entries.shape[0]):
        l, column = entries[e, 0], entries[e, 1]
        d1, d2, dt, dw, dair, dcia = coefs[e]
        for j in range(n):
            absorbed = d1 * s1[l, j] + d2 * s2[l, j] + dt * td[l, j] + dw * mix[j]
            absorbed += dcia * cia[lo + j] + dair * ray[lo + j]
            jac[column, lo + j] += a[l, j] * absorbed + scatter[l, j] * dair


@njit(cache=True)
def _scatter_once(x, rayleigh, amf, through, single, slope, each):  # type: ignore[no-untyped-def]
    """Scatter in a layer of slant depth x (point) and weaken `through`, the transmittance to it and back.

    Sets single = scattered light per phase function, slope = its derivative by x, each = single per depth.
    """
    for j in range(rayleigh.size):
        e = math.exp(-x[j])
        small = x[j] < 1e-4
        phi = 1.0 - 0.5 * x[j] if small else (1.0 - e) / x[j]
        dphi = -0.5 + x[j] / 3.0 if small else (e - phi) / x[j]
        each[j] = amf * through[j] * phi
        single[j] = each[j] * rayleigh[j]
        slope[j] = amf * through[j] * rayleigh[j] * dphi
        through[j] *= e


@njit(cache=True)
def _emit(depth, amf_sun, amf_view, emission, up, a):  # type: ignore[no-untyped-def]
    """Set up = transmittance (point) from ground to sensor; add the emission's part to a (layer, point)."""
    for l in range(depth.shape[0]):
        share = amf_view[l] / (amf_sun[l] + amf_view[l])
        for j in range(emission.size):
            up[j] += share * depth[l, j]
    for j in range(emission.size):
        up[j] = math.exp(-up[j])
    for l in range(depth.shape[0]):
        for j in range(emission.size):
            a[l, j] -= amf_view[l] * emission[j] * up[j]


@njit(cache=True)
def radiance(
    gas, gas_bottom, gas_mix, h2o, h2o_bottom, h2o_mix,  # cubics: (layer, 4, point) and (4, point)
    u_gas, u_h2o, air, cia_path, t, per_kelvin,  # (layer,)
    amf_sun, amf_view, bottom,  # slant factors (layer,), index
    sun, cia, ray, reflectance, emission,  # (point,); emission may be empty
    mu0, phase, marks, entries, coefs, columns,  # geometry; layers; sparse layer derivatives
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Return direct (point), path (point), up (point or none), lit (mark, point), jac (column, point).

    Radiance = reflectance * direct + path + emission * up, in the unit of `sun` per sr; direct =
    mu0 F/pi exp(-slant depth), path = singly scattered light over a black surface, up = transmittance
    from ground to sensor, empty where nothing is emitted. lit is the transmittance to the bottom of the
    layers `marks` and back, jac the derivative through the layers.
    """
    points = sun.size
    layer_count = bottom + 1
    direct, path, up = np.empty(points), np.empty(points), np.zeros(emission.size)
    lit = np.empty((marks.size, points))
    jac = np.zeros((columns, points))
    s1, s2 = np.empty((layer_count, BLOCK)), np.empty((layer_count, BLOCK))
    td, depth = np.empty((layer_count, BLOCK)), np.empty((layer_count, BLOCK))
    single, slope = np.empty((layer_count, BLOCK)), np.empty((layer_count, BLOCK))
    a, scatter = np.empty((layer_count, BLOCK)), np.empty((layer_count, BLOCK))
    d1, d2, mix = np.empty(BLOCK), np.empty(BLOCK), np.zeros(BLOCK)
    mix1, mix2, unused = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    through, below = np.empty(BLOCK), np.empty(BLOCK)
    k_phase = phase / (4.0 * math.pi)
    for lo in range(0, points, BLOCK):
        n = min(BLOCK, points - lo)
        through[:] = 1.0
        for l in range(layer_count):
            if l == bottom:
                _cubic(gas_bottom, lo, lo + n, t[l], s1[l], d1)
                _cubic(h2o_bottom, lo, lo + n, t[l], s2[l], d2)
            else:
                _cubic(gas[l], lo, lo + n, t[l], s1[l], d1)
                _cubic(h2o[l], lo, lo + n, t[l], s2[l], d2)
            slant = amf_sun[l] + amf_view[l]
            for j in range(n):
                td[l, j] = per_kelvin * (u_gas[l] * d1[j] + u_h2o[l] * d2[j])
                tau = u_gas[l] * s1[l, j] + u_h2o[l] * s2[l, j]
                tau += cia_path[l] * cia[lo + j] + air[l] * ray[lo + j]
                depth[l, j] = slant * tau
            rayleigh = air[l] * ray[lo : lo + n]
            _scatter_once(depth[l], rayleigh, amf_view[l], through, single[l], slope[l], scatter[l])
            for j in range(n):
                scatter[l, j] *= k_phase * sun[lo + j] * ray[lo + j]
            lit[marks == l, lo : lo + n] = through[:n]
        lit[marks > bottom, lo : lo + n] = through[:n]
        _cubic(gas_mix, lo, lo + n, t[bottom], mix1, unused)
        _cubic(h2o_mix, lo, lo + n, t[bottom], mix2, unused)
        for j in range(n):
            mix[j] = u_gas[bottom] * mix1[j] + u_h2o[bottom] * mix2[j]
            direct[lo + j] = mu0 / math.pi * sun[lo + j] * through[j]
            below[j] = 0.0
        for l in range(layer_count - 1, -1, -1):
            slant = amf_sun[l] + amf_view[l]
            for j in range(n):
                lost = reflectance[lo + j] * direct[lo + j] + k_phase * sun[lo + j] * (below[j] - slope[l, j])
                a[l, j] = -slant * lost
                below[j] += single[l, j]
        for j in range(n):
            path[lo + j] = k_phase * sun[lo + j] * below[j]
        _emit(depth, amf_sun, amf_view, emission[lo : lo + n], up[lo : lo + n], a)
        _accumulate(entries, coefs, a, scatter, s1, s2, td, mix, cia, ray, jac, lo, n)
    return direct, path, up, lit, jac
