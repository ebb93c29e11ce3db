"""Follow light from scattering to scattering along the streams of discrete ordinates.

Loops write one array each: the compiler makes vectors of them where it need not ask whether many overlap.
"""

from __future__ import annotations

import numpy as np

from .compiled import inner

STREAMS = 6  # per hemisphere; _gather is written out for them
# Of a phase function; what is beyond goes on as if unscattered (delta-M, Wiscombe 1977). Streams in the
# root of mu carry no more: with 12 a white ground in haze, Sun overhead, loses 6e-3 of its light, with 8 3e-4
MOMENTS = 8  # _project is written out for them
ROOM = MOMENTS + 2  # moments with zeros at the end, up to three orders of the azimuth


@inner
def slanted(transport, mu):  # type: ignore[no-untyped-def]
    """Return what `_carry` takes of `means` of every layer: (layer, 4, stream and point)."""
    _, layers, streams, points = transport.shape
    out = np.empty((layers, 4, streams * points), transport.dtype)
    for l in range(layers):
        for i in range(streams):
            slant, first = out.dtype.type(1.0) / mu[i], i * points
            for n in range(points):
                out[l, 0, first + n] = transport[0, l, i, n]
                out[l, 1, first + n] = transport[1, l, i, n]
                out[l, 2, first + n] = slant * transport[1, l, i, n]
                out[l, 3, first + n] = slant * transport[2, l, i, n]
    return out


@inner
def _project(order, v, leg, even, odd):  # type: ignore[no-untyped-def]
    """Sum the moments v (ROOM, point) into the streams' sources, even and odd in the direction up or down."""
    for side in range(2):
        first, out = order + side, even if side == 0 else odd
        v0, v1, v2, v3 = v[first], v[first + 2], v[first + 4], v[first + 6]
        for i in range(STREAMS):
            p0, p1, p2, p3 = leg[first, i], leg[first + 2, i], leg[first + 4, i], leg[first + 6, i]
            a = out[i]
            for n in range(a.size):
                a[n] = (p0 * v0[n] + p1 * v1[n]) + (p2 * v2[n] + p3 * v3[n])


@inner
def _gather(order, leg, weight, even, odd, r):  # type: ignore[no-untyped-def]
    """Set r (moment, point) to the moments of the streams' light."""
    for k in range(order, r.shape[0]):
        a = even if (k + order) % 2 == 0 else odd
        p0, p1, p2 = leg[k, 0] * weight[0], leg[k, 1] * weight[1], leg[k, 2] * weight[2]
        p3, p4, p5 = leg[k, 3] * weight[3], leg[k, 4] * weight[4], leg[k, 5] * weight[5]
        a0, a1, a2, a3, a4, a5, rk = a[0], a[1], a[2], a[3], a[4], a[5], r[k]
        for n in range(rk.size):
            rk[n] = (p0 * a0[n] + p1 * a1[n] + p2 * a2[n]) + (p3 * a3[n] + p4 * a4[n] + p5 * a5[n])


@inner
def _measure(c, r, order, strength):  # type: ignore[no-untyped-def]
    """Set strength (point) to how much a field's lowest moment scatters."""
    strength[:] = c.dtype.type(0.0)
    for l in range(c.shape[0]):
        a, b = c[l, order], r[l, order]
        for n in range(a.size):
            strength[n] += a[n] * b[n]


@inner
def _extend(r, now, before):  # type: ignore[no-untyped-def]
    """Let the last order stand for all later ones: by now each is the one before it times a constant."""
    one, most = now.dtype.type(1.0), now.dtype.type(0.8)
    for n in range(now.size):
        ratio = now[n] / before[n] if before[n] != 0.0 else now.dtype.type(0.0)
        now[n] = one / (one - min(max(ratio, now.dtype.type(0.0)), most))
    for l in range(r.shape[0]):
        for k in range(r.shape[1]):
            x = r[l, k]
            for n in range(now.size):
                x[n] *= now[n]


@inner
def _add_to(total, r):  # type: ignore[no-untyped-def]
    for l in range(r.shape[0]):
        for k in range(r.shape[1]):
            x, y = total[l, k], r[l, k]
            for n in range(x.size):
                x[n] += y[n]


@inner
def _reflect(coming, incoming, going, irradiance, lit, by_beam, weight, mu, albedo, sky):  # type: ignore[no-untyped-def]
    """Fill the light going up from the ground by that coming down, and by a beam `lit` where wanted."""
    kind = going.dtype
    two = kind.type(2.0)
    for i in range(STREAMS):
        share, direct = two * weight[i] * mu[i], two * sky[i, lit] if by_beam else kind.type(0.0)
        for n in range(albedo.size):
            incoming[i, n] = share * coming[i, n]
        for n in range(albedo.size):
            going[i, n] = direct * irradiance[n]
    for i in range(STREAMS):
        for k in range(STREAMS):
            for n in range(albedo.size):
                going[i, n] += sky[i, k] * incoming[k, n]
        for n in range(albedo.size):
            going[i, n] *= albedo[n]


@inner
def _sources(even, odd, up, down):  # type: ignore[no-untyped-def]
    """Turn what is even and odd in the direction (value) into what goes up and down."""
    for n in range(even.size):
        up[n] = even[n] + odd[n]
    for n in range(even.size):
        down[n] = even[n] - odd[n]


@inner
def _carry(x, source, transport, mean, out):  # type: ignore[no-untyped-def]
    """Carry light (stream and point) through a layer of a source: fill its mean and what comes out.

    transport  (4): t, phi, phi and psi over mu, of `means`, (stream and point) each
    """
    t, phi, slant_phi, slant_psi = transport[0], transport[1], transport[2], transport[3]
    for n in range(x.size):
        mean[n] = x[n] * phi[n] + source[n] * slant_psi[n]
    for n in range(x.size):
        out[n] = x[n] * t[n] + source[n] * slant_phi[n]


@inner
def _sweep(order, c, r, leg, mu, weight, slanted, fields, work, irradiance, lit, by_beam, albedo, sky):  # type: ignore[no-untyped-def]
    """Scatter light of the moments r (layer, moment, point) once, in place; a beam lights the ground where
    wanted.

    slanted  (layer, 4, stream and point) as `_carry` takes it; fields and work see `orders`
    """
    layers, moments, points = c.shape
    down, up, source_down, source_up, mean_down = fields
    v, even, odd, mean = work
    half, flat = c.dtype.type(0.5), STREAMS * points
    even_flat, odd_flat = even.reshape(flat), odd.reshape(flat)
    down[0] = c.dtype.type(0.0)
    for l in range(layers):
        for k in range(order, moments):
            vk, ck, rk = v[k], c[l, k], r[l, k]
            for n in range(points):
                vk[n] = half * ck[n] * rk[n]
        _project(order, v, leg, even, odd)
        _sources(even_flat, odd_flat, source_up[l], source_down[l])
        _carry(down[l], source_down[l], slanted[l], mean_down[l], down[l + 1])
    ground, bottom = up[layers].reshape((STREAMS, points)), down[layers].reshape((STREAMS, points))
    _reflect(bottom, odd, ground, irradiance, lit, by_beam, weight, mu, albedo, sky)
    for l in range(layers - 1, -1, -1):
        _carry(up[l + 1], source_up[l], slanted[l], mean, up[l])
        _sources(mean, mean_down[l], even_flat, odd_flat)
        _gather(order, leg, weight, even, odd, r[l])


@inner
def orders(order, c, leg, mu, weight, slanted, beams, irradiance, lit, albedo, sky, count):  # type: ignore[no-untyped-def]
    """Sum the orders of scattering of light that starts from beams and from the ground they light; `count`
    are followed, the last of them stands for the rest.

    The last sweep scatters the sum of all orders, so that it leaves the sum of their fields. c (layer,
    moment, point) (2k+1) beta_k times scattering depth; slanted (layer, 4, stream and point), see `_carry`;
    beams (layer, moment, point); sky (stream + 2, stream + 2) how the ground reflects between streams and
    beams, per unit of albedo (point). Returns moments (layer, moment, point), radiance down and up at the
    interfaces (layer + 1, stream, point), sources down and up (layer, stream, point).
    """
    layers, _, points = c.shape
    kind, flat = c.dtype, STREAMS * points
    down, up = np.empty((layers + 1, flat), kind), np.empty((layers + 1, flat), kind)
    source_down, source_up = np.empty((layers, flat), kind), np.empty((layers, flat), kind)
    fields = (down, up, source_down, source_up, np.empty((layers, flat), kind))
    even, odd = np.empty((STREAMS, points), kind), np.empty((STREAMS, points), kind)
    work = (np.zeros((ROOM, points), kind), even, odd, np.empty(flat, kind))
    r, total, strength = beams.copy(), beams.copy(), np.zeros((2, points), kind)
    for turn in range(count):
        if turn > count - 3:
            _measure(c, r, order, strength[turn % 2])
        if turn == count - 1:
            _extend(r, strength[turn % 2], strength[1 - turn % 2])
        if turn > 0:
            _add_to(total, r)
        last = turn == count - 1
        now = total if last else r
        _sweep(
            order, c, now, leg, mu, weight, slanted, fields, work, irradiance, lit, turn == 0 or last, albedo,
            sky,
        )  # fmt: skip
    at_edges, inside = (layers + 1, STREAMS, points), (layers, STREAMS, points)
    return (
        total,
        down.reshape(at_edges),
        up.reshape(at_edges),
        source_down.reshape(inside),
        source_up.reshape(inside),
    )
