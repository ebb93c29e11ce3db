"""Compute scattered light at a few points by successive orders, and its derivatives by reciprocity.

Discrete ordinates of six streams a hemisphere, layers of constant source. The light that comes to the sensor
is the same as if it went from there to the Sun; the product of both fields gives all derivatives.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from .compiled import exp_minus, inner
from .orders import MOMENTS, STREAMS, orders, slanted

# Gauss points in the square root of mu: thin layers send most of their light near the horizon
_X, _W = np.polynomial.legendre.leggauss(STREAMS)
MU, WEIGHT = (0.5 * (_X + 1.0)) ** 2, 0.5 * _W * (_X + 1.0)
EDGES = np.concatenate([[0.0], np.cumsum(0.5 * _W)])  # of the streams' cells, in the square root of mu
AZIMUTHS = 3  # cosines of the azimuth; Rayleigh scattering has no more
DEPOLARISATION = 0.0279  # of air in the near infrared (Bodhaine 1999, Young 1981)
_GAMMA = DEPOLARISATION / (2.0 - DEPOLARISATION)
RAYLEIGH_MOMENT_2 = 0.1 * (1.0 - _GAMMA) / (1.0 + 2.0 * _GAMMA)


def rayleigh_phase(cos_scattering):  # type: ignore[no-untyped-def]
    """Return the phase function, mean 1 over the sphere, depolarisation included (Young 1981)."""
    return 3.0 / (4.0 * (1.0 + 2.0 * _GAMMA)) * (1.0 + 3.0 * _GAMMA + (1.0 - _GAMMA) * cos_scattering**2)


def rayleigh_cross_section(wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Return the scattering cross-section of air (point), cm2 (Bucholtz 1995, fit above 0.5 um)."""
    um = 1e4 / wavenumber_cm1
    return 4.01061e-28 * um ** -(3.99668 + 1.10298e-3 * um + 2.71393e-2 / um)


def legendre(order: int, mu: np.ndarray | float) -> np.ndarray:
    """Return sqrt((k-m)!/(k+m)!) P_k^m(mu) (moment k, mu) of the azimuthal order m, 0 for k < m."""
    return np.asarray(_legendre(order, np.atleast_1d(np.asarray(mu, dtype=float))))


@njit(cache=True)
def _legendre(order, mu):  # type: ignore[no-untyped-def]
    out = np.zeros((MOMENTS, mu.size))
    out[order] = (1.0 - mu**2) ** (0.5 * order)
    for j in range(1, order + 1):
        out[order] *= np.sqrt((2 * j - 1) / (2 * j))
    out[order + 1] = np.sqrt(2 * order + 1) * mu * out[order]
    for k in range(order + 2, MOMENTS):
        before, below = out[k - 1], out[k - 2]
        out[k] = ((2 * k - 1) * mu * before - np.sqrt((k - 1) ** 2 - order**2) * below) / np.sqrt(
            k * k - order**2
        )
    return out


@inner
def means(x, t, phi, psi, dphi, dpsi):  # type: ignore[no-untyped-def]
    """Fill t = exp(-x), phi = (1 - t)/x, psi = (1 - phi)/x and the slopes of the two; series below an
    edge."""
    kind = x.dtype
    one = kind.type(1.0)
    edge = kind.type(0.5 if x.itemsize == 4 else 0.1)  # where the two forms are equally good
    a2, a3, a4, a5 = kind.type(1 / 2), kind.type(1 / 6), kind.type(1 / 24), kind.type(1 / 120)
    a6, a7, a8, a9 = kind.type(1 / 720), kind.type(1 / 5040), kind.type(1 / 40320), kind.type(1 / 362880)
    two, three, four, five, six = kind.type(2), kind.type(3), kind.type(4), kind.type(5), kind.type(6)
    for n in range(x.size):
        v = x[n]
        p = one - v * (a2 - v * (a3 - v * (a4 - v * (a5 - v * (a6 - v * (a7 - v * a8))))))
        q = a2 - v * (a3 - v * (a4 - v * (a5 - v * (a6 - v * (a7 - v * (a8 - v * a9))))))
        dq = -(a3 - v * (two * a4 - v * (three * a5 - v * (four * a6 - v * (five * a7 - v * six * a8)))))
        w = max(v, edge)
        e = exp_minus(w)
        far_p = (one - e) / w
        far_q = (one - far_p) / w
        far_dp = (e - far_p) / w
        near = v < edge
        t[n] = exp_minus(v)
        phi[n] = p if near else far_p
        psi[n] = q if near else far_q
        dphi[n] = -(q + v * dq) if near else far_dp
        dpsi[n] = dq if near else -(far_dp + far_q) / w


@inner
def _beam(tau, slant):  # type: ignore[no-untyped-def]
    """Follow a beam of strength 1 down; return its strength at the interfaces (layer + 1, point), its layer
    means
    and their slopes by the layer's own slant depth, both (layer, point)."""
    layers, points = tau.shape
    kind = tau.dtype
    at = np.ones((layers + 1, points), kind)
    mean, slope, work = np.empty_like(tau), np.empty_like(tau), np.empty((4, points), kind)
    x, t, psi, dpsi = work[0], work[1], work[2], work[3]
    for l in range(layers):
        for n in range(points):
            x[n] = tau[l, n] * slant[l]
        means(x, t, mean[l], psi, slope[l], dpsi)
        for n in range(points):
            at[l + 1, n] = at[l, n] * t[n]
            mean[l, n] *= at[l, n]
            slope[l, n] *= at[l, n]
    return at, mean, slope


@inner
def _beam_gradient(slant, at_ground, mean, slope, by_mean, by_ground, factor, out):  # type: ignore[no-untyped-def]
    """Add to out (layer, point) the derivative by depth of a sum linear in a beam's means and ground
    strength."""
    layers, points = mean.shape
    later = np.empty(points, mean.dtype)
    for n in range(points):
        later[n] = by_ground[n] * at_ground[n]
    for l in range(layers - 1, -1, -1):
        for n in range(points):
            out[l, n] += factor * slant[l] * (by_mean[l, n] * slope[l, n] - later[n])
            later[n] += by_mean[l, n] * mean[l, n]


@inner
def _transport_gradient(mu, weight, transport, sun, view, factor, out):  # type: ignore[no-untyped-def]
    """Add the derivative by depth of light on its way between scatterings (layer, point).

    sun, view: (moments, down, up, source down, source up) of `orders`; what goes down for the one goes up for
    the other.
    """
    t, dphi, dpsi = transport[0], transport[3], transport[4]
    _, down, up, source_down, source_up = sun
    _, v_down, v_up, v_source_down, v_source_up = view
    layers, streams, points = source_up.shape
    for l in range(layers):
        for i in range(streams):
            m = mu[i]
            w, slant = factor * weight[i] / m, out.dtype.type(1.0) / m
            for n in range(points):
                tt, dp, dq = t[l, i, n], dphi[l, i, n], dpsi[l, i, n]
                a, d = down[l, i, n], source_down[l, i, n] * slant
                s = v_source_up[l, i, n] * (a * dp + d * dq) + m * v_up[l + 1, i, n] * (d * dp - a * tt)
                a, d = up[l + 1, i, n], source_up[l, i, n] * slant
                s += v_source_down[l, i, n] * (a * dp + d * dq) + m * v_down[l, i, n] * (d * dp - a * tt)
                out[l, n] += w * s


@inner
def transport_of(tau, mu):  # type: ignore[no-untyped-def]
    """Return `means` of every layer along every stream: (5, layer, stream, point)."""
    layers, points = tau.shape
    out = np.empty((5, layers, mu.size, points), tau.dtype)
    for l in range(layers):
        for i in range(mu.size):
            means(tau[l] / mu[i], out[0, l, i], out[1, l, i], out[2, l, i], out[3, l, i], out[4, l, i])
    return out


@inner
def single_scattering(tau, phase, slant, slant_view, light, by_tau, by_phase):  # type: ignore[no-untyped-def]
    """Add light scattered once (point) and its derivatives by depth and by `phase` (layer, point).

    phase  (layer, point) scattering depth times phase function in the direction of the sensor
    """
    layers, points = tau.shape
    kind = tau.dtype
    through, own = np.ones(points, kind), np.empty_like(tau)
    work = np.empty((6, points), kind)
    x, t, phi, psi, dphi, dpsi = work[0], work[1], work[2], work[3], work[4], work[5]
    for l in range(layers):
        factor = slant_view[l] * kind.type(0.25 / math.pi)
        for n in range(points):
            x[n] = slant[l] * tau[l, n]
        means(x, t, phi, psi, dphi, dpsi)
        for n in range(points):
            each = factor * through[n] * phi[n]
            by_phase[l, n] += each
            own[l, n] = each * phase[l, n]
            by_tau[l, n] += slant[l] * factor * through[n] * phase[l, n] * dphi[n]
            light[n] += own[l, n]
            through[n] *= t[n]
    x[:] = kind.type(0.0)
    for l in range(layers - 1, -1, -1):
        for n in range(points):
            by_tau[l, n] -= slant[l] * x[n]
            x[n] += own[l, n]


@inner
def _first_orders(order, unit, p_sun, p_view, slant_view, mean_s, mean_v, beams_s, beams_v):  # type: ignore[no-untyped-def]
    """Fill the moments (layer, moment, point) of the beams of Sun and sensor."""
    layers, moments, points = beams_s.shape
    for l in range(layers):
        for k in range(moments):
            sign = beams_s.dtype.type(1.0 if (k + order) % 2 == 0 else -1.0)
            for n in range(points):
                beams_s[l, k, n] = unit * p_sun[k] * sign * mean_s[l, n]
                beams_v[l, k, n] = slant_view[l] * p_view[k] * sign * mean_v[l, n]


@inner
def _one_azimuth(  # type: ignore[no-untyped-def]
    order, factor, c, leg, p_sun, p_view, mu, weight, transport, carried, sun_beam, view_beam, slant_sun,
    slant_view, mu0, albedo, sky, by_shape, count, slopes, light, by_tau, by_c, by_ground,
):  # fmt: skip
    """Add one azimuthal component of the light scattered more than once or off the ground, see
    `diffuse_light`."""
    layers, moments, points = c.shape
    kind = c.dtype
    half, unit = kind.type(0.5), kind.type(0.5 / math.pi)
    at_s, mean_s, slope_s = sun_beam
    at_v, mean_v, slope_v = view_beam
    beams = np.empty((2, layers, moments, points), kind)
    _first_orders(order, unit, p_sun, p_view, slant_view, mean_s, mean_v, beams[0], beams[1])
    ground_s, ground_v = unit * mu0 * at_s[layers], at_v[layers].copy()
    count = max(count - order, 3)  # light that hangs on the azimuth dies out sooner
    grounds = (ground_s, ground_v)
    for way in range(2 if slopes else 1):  # one place in the code for both: it is compiled once
        found = orders(
            order, c, leg, mu, weight, carried, beams[way], grounds[way], STREAMS + way, albedo, sky, count
        )
        if way == 0:
            sun = found
    view = found
    if not slopes:
        _light_alone(
            order, factor, c, p_view, slant_view, mean_v, sun[0], sun[1][layers], mu, weight, ground_v,
            albedo, sky, light,
        )  # fmt: skip
        return
    by_mean_s, by_mean_v = np.zeros_like(mean_s), np.zeros_like(mean_s)
    for l in range(layers):
        for k in range(order, moments):
            sign = kind.type(1.0 if (k + order) % 2 == 0 else -1.0)
            ps, pv = unit * p_sun[k], slant_view[l] * p_view[k]
            for n in range(points):
                # light scattered once, off the beam to the sensor, is left to single_scattering
                s, v, x = sun[0][l, k, n], sign * view[0][l, k, n], half * c[l, k, n]
                light[n] += factor * x * s * pv * mean_v[l, n]
                once_s, once_v = ps * sign * mean_s[l, n], pv * mean_v[l, n]
                by_c[l, k, n] += factor * half * (s * (v + once_v) + once_s * v)
                by_mean_s[l, n] += x * ps * sign * v
                by_mean_v[l, n] += x * pv * s
    by_ground_s, by_ground_v = np.zeros(points, kind), np.zeros(points, kind)
    _ground_gradient(
        factor, unit * mu0, mu, weight, sun[1][layers], view[1][layers], ground_s, ground_v, albedo, sky,
        light, by_ground[0], by_ground_s, by_ground_v,
    )  # fmt: skip
    _shape_gradient(
        factor,
        mu,
        weight,
        sun[1][layers],
        view[1][layers],
        ground_s,
        ground_v,
        albedo,
        by_shape,
        by_ground[1],
    )
    _transport_gradient(mu, weight, transport, sun, view, factor, by_tau)
    _beam_gradient(slant_sun, at_s[layers], mean_s, slope_s, by_mean_s, by_ground_s, factor, by_tau)
    _beam_gradient(slant_view, at_v[layers], mean_v, slope_v, by_mean_v, by_ground_v, factor, by_tau)


@inner
def _light_alone(  # type: ignore[no-untyped-def]
    order, factor, c, p_view, slant_view, mean_v, moments, down, mu, weight, ground_v, albedo, sky, light
):  # fmt: skip
    """Add what air, particles and ground send to the sensor of a field's moments and light on the ground."""
    half, two = light.dtype.type(0.5), light.dtype.type(2.0)
    for l in range(c.shape[0]):
        for k in range(order, c.shape[1]):
            pv = slant_view[l] * p_view[k]
            for n in range(light.size):
                light[n] += factor * (half * c[l, k, n]) * moments[l, k, n] * pv * mean_v[l, n]
    for n in range(light.size):
        direct = light.dtype.type(0.0)
        for i in range(STREAMS):
            direct += sky[i, STREAMS + 1] * (weight[i] * mu[i]) * down[i, n]
        light[n] += factor * two * albedo[n] * direct * ground_v[n]


@inner
def _ground_gradient(  # type: ignore[no-untyped-def]
    factor, per_strength, mu, weight, down_s, down_v, ground_s, ground_v, albedo, sky, light, by_albedo,
    by_ground_s, by_ground_v
):  # fmt: skip
    """Add what the ground sends to the sensor of the light of the sky, and the derivatives that pass the
    ground.

    down_s, down_v  (stream, point) light of the sky on the ground, of the Sun and of the sensor in its place
    """
    two = light.dtype.type(2.0)
    for n in range(light.size):
        direct, onward, both = light.dtype.type(0.0), light.dtype.type(0.0), light.dtype.type(0.0)
        for i in range(STREAMS):
            a = weight[i] * mu[i]
            direct += sky[i, STREAMS + 1] * a * down_s[i, n]
            onward += sky[i, STREAMS] * a * down_v[i, n]
            for k in range(STREAMS):
                both += sky[i, k] * a * down_s[i, n] * weight[k] * mu[k] * down_v[k, n]
        light[n] += factor * two * albedo[n] * direct * ground_v[n]
        by_albedo[n] += factor * two * (both + direct * ground_v[n] + onward * ground_s[n])
        by_ground_s[n] = two * albedo[n] * onward * per_strength
        by_ground_v[n] = two * albedo[n] * direct


@inner
def _shape_gradient(factor, mu, weight, down_s, down_v, ground_s, ground_v, albedo, by_shape, out):  # type: ignore[no-untyped-def]
    """Add the derivative (point) by the shape of the ground's reflection; by_shape is that of `sky`, or
    empty."""
    if by_shape.shape[0] == 0:
        return
    two = out.dtype.type(2.0)
    for n in range(out.size):
        total = out.dtype.type(0.0)
        for i in range(STREAMS):
            a = weight[i] * mu[i]
            total += a * by_shape[i, STREAMS + 1] * down_s[i, n] * ground_v[n]
            total += a * by_shape[i, STREAMS] * down_v[i, n] * ground_s[n]
            for k in range(STREAMS):
                total += by_shape[i, k] * a * down_s[i, n] * weight[k] * mu[k] * down_v[k, n]
        out[n] += factor * two * albedo[n] * total


@inner
def diffuse_light(  # type: ignore[no-untyped-def]
    tau, c, legs, p_sun, p_view, azimuth, mu, weight, slant_sun, slant_view, mu0, albedo, sky, by_shape,
    count, slopes, light, by_tau, by_c, by_ground,
):  # fmt: skip
    """Add radiance over irradiance (point) of all light but the direct and the once scattered; if `slopes`,
    with derivatives.

    tau (layer, point) and c (layer, moment, point), delta-M scaled; legs (azimuth, moment, stream), p_sun and
    p_view (azimuth, moment) Legendre functions of streams, Sun and sensor; azimuth (azimuth,) weights of the
    components; albedo (point) and sky (azimuth, stream + 2, stream + 2) of the ground, see surface.land_sky;
    by_shape its slope, or no components. by_ground (2, point) takes the derivatives by albedo and by shape.
    """
    transport = transport_of(tau, mu)
    carried = slanted(transport, mu)
    sun_beam, view_beam = _beam(tau, slant_sun), _beam(tau, slant_view)
    for order in range(legs.shape[0]):
        shape = by_shape[order] if by_shape.shape[0] > 0 else sky[order, :0]
        if order == 0 or abs(azimuth[order]) > 1e-7:
            _one_azimuth(
                order, azimuth[order], c, legs[order], p_sun[order], p_view[order], mu, weight, transport,
                carried, sun_beam, view_beam, slant_sun, slant_view, mu0, albedo, sky[order], shape, count,
                slopes, light, by_tau, by_c, by_ground,
            )  # fmt: skip
