"""Give the weights with which each spectel sees the points of a band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from .compiled import inner, summing

NEGLIGIBLE = 1e-5  # of the peak, below which a response is cut: 1.4e-6 of its area
LANES = 16  # taps are summed so many at a time, the last filled up with weights of 0
MOST_AREA_ERROR = 0.01  # of a response in the calibration data
TAPS = 256  # of a table, at most; the response is smooth on that scale
NEAR_FWHM, NEAR_STRETCH = 0.01, 2e-3  # how far an expansion about a wavelength and a width is used
MOST_EXPANSIONS = 6  # kept for later soundings, 1.0 to 1.6 MB each


@dataclass(frozen=True)
class Response:
    """Spectral response of one band and field of view, as the calibration data give it."""

    node: np.ndarray  # (node,) spectel positions, linear between
    offset_nm: np.ndarray  # (offset,) evenly spaced
    isrf: np.ndarray  # (node, offset) nm-1

    def amiss(self) -> str:
        """Say what was expected of the arrays and what they are instead; empty where all is well."""
        if not all(np.all(np.isfinite(array)) for array in (self.node, self.offset_nm, self.isrf)):
            return "numbers, got NaN"
        steps = np.diff(self.offset_nm)
        if np.diff(self.node).min() <= 0.0 or steps.min() <= 0.0 or np.ptp(steps) > 1e-3 * steps.mean():
            return "isrf_node and isrf_offset that rise, the latter in even steps, got others"
        area = self.isrf.sum(axis=1) * steps.mean()
        if not np.all(np.abs(area - 1.0) < MOST_AREA_ERROR):
            return f"areas of 1, got {area[np.abs(area - 1.0).argmax()]:.3g}"
        return ""

    def compact(self) -> Response:
        """Cut the empty ends and thin out a table that is finer than its shape needs."""
        held = np.flatnonzero(np.any(self.isrf > NEGLIGIBLE * self.isrf.max(), axis=0))
        first, last = max(held[0] - 1, 0), min(held[-1] + 2, self.offset_nm.size)
        keep = slice(first, last, -(-(last - first) // TAPS))
        return Response(self.node, self.offset_nm[keep], np.ascontiguousarray(self.isrf[:, keep]))

    @property
    def fwhm_nm(self) -> float:
        """Area over peak, which is near the full width at half maximum."""
        return float(1.0 / self.isrf.max())


@dataclass(frozen=True)
class Expansion:
    """Weights of the points about some wavelengths of the spectels and one width of the response.

    terms (spectel, 4, tap): the weight, its first and second derivative by the spectel's wavelength (nm), its
    derivative by the relative width; sums (spectel, 4) of them; first (spectel) point of each spectel, count
    (spectel) of its points, 0 where the grid does not hold them.
    """

    center_nm: np.ndarray
    stretch: float
    terms: np.ndarray
    sums: np.ndarray
    first: np.ndarray
    count: np.ndarray


@dataclass(frozen=True)
class Near:
    """A state by the expansion it uses, and its distance from there: shift (spectel), nm, and relative
    width."""

    expansion: Expansion
    shift_nm: np.ndarray
    widen: float

    @property
    def total(self) -> np.ndarray:
        """Sum of a spectel's weights (spectel); NaN where the grid does not hold it."""
        s, d = self.expansion.sums, self.shift_nm
        total = s[:, 0] + d * (s[:, 1] + 0.5 * d * s[:, 2]) + self.widen * s[:, 3]
        return np.where(self.expansion.count > 0, total, np.nan)

    @property
    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        """Slopes of the total by the spectel's wavelength, nm-1, and by the relative width."""
        s = self.expansion.sums
        return s[:, 1] + self.shift_nm * s[:, 2], s[:, 3]


class Expansions:
    """Expansions of one band and field of view on a lattice of states, near which they hold to 1e-5 of a
    weight.

    Soundings share them; which ones a sounding takes hangs on its own states alone.
    """

    def __init__(
        self,
        wavenumber_cm1: np.ndarray,
        width_cm1: np.ndarray,
        wavelength_nm: np.ndarray,
        response: Response,
        kind: type,
    ) -> None:
        """Take points (point), what each of them stands for, and wavelengths of the spectels (spectel)."""
        self._ground_nm, self._spectel_nm, self._response = 1e7 / wavenumber_cm1, wavelength_nm, response
        self._width_nm = width_cm1 * self._ground_nm**2 * 1e-7
        self._kind, self._reach = kind, NEAR_FWHM * response.fwhm_nm
        self._known: dict[tuple[int, int, int], Expansion] = {}
        self._u = np.linspace(-1.0, 1.0, wavelength_nm.size)

    def near(
        self, doppler: float, shift_nm: float, stretch_nm: float, widen: float, kept: Expansion | None = None
    ) -> Near:
        """Return a state by `kept` where that holds, else by the nearest expansion of the lattice.

        doppler  v/c of the sensor's recession; shift and stretch of the wavelength scale; relative width - 1
        """
        # light comes at wavelength/(1 - doppler): the same as spectels that much shorter
        center = (self._spectel_nm + shift_nm + stretch_nm * self._u) * (1.0 - doppler)
        if kept is not None:
            first, last = (float(center[end] - kept.center_nm[end]) for end in (0, -1))
            if max(abs(first), abs(last)) <= self._reach and abs(1.0 + widen - kept.stretch) <= NEAR_STRETCH:
                return Near(kept, (center - kept.center_nm).astype(self._kind), 1.0 + widen - kept.stretch)
        found = self._on_lattice(center - self._spectel_nm, widen)
        return Near(found, (center - found.center_nm).astype(self._kind), 1.0 + widen - found.stretch)

    def _on_lattice(self, away_nm: np.ndarray, widen: float) -> Expansion:
        step = self._reach  # of which half is left for shifts and stretches still to come
        middle, tilt = 0.5 * (away_nm[0] + away_nm[-1]), 0.5 * (away_nm[-1] - away_nm[0])
        key = (round(middle / step), round(tilt / step), round(widen / NEAR_STRETCH))
        if key not in self._known:
            if len(self._known) >= MOST_EXPANSIONS:
                del self._known[next(iter(self._known))]
            base = self._spectel_nm + step * (key[0] + key[1] * self._u)
            stretch = 1.0 + NEAR_STRETCH * key[2]
            self._known[key] = _expansion(
                self._ground_nm, self._width_nm, base, self._response, stretch, self._kind
            )
        return self._known[key]


def areas(
    wavenumber_cm1: np.ndarray, width_cm1: np.ndarray, center_nm: np.ndarray, response: Response
) -> np.ndarray:
    """Return the sums of the weights (centre) of points of some widths (point)."""
    ground_nm = 1e7 / wavenumber_cm1
    width_nm = width_cm1 * ground_nm**2 * 1e-7
    return _expansion(ground_nm, width_nm, center_nm, response, 1.0, np.float64).sums[:, 0]


def _expansion(
    wavelength_nm: np.ndarray,
    width_nm: np.ndarray,
    center_nm: np.ndarray,
    response: Response,
    stretch: float,
    kind: type,
) -> Expansion:
    """Expand the weights at descending wavelengths (point), for centres (spectel) ascending.

    Weights hold what the points stand for. Room is left for shifts.
    """
    reach = response.offset_nm[[0, -1]] * stretch + NEAR_FWHM * response.fwhm_nm * np.array([-1.0, 1.0])
    backwards = wavelength_nm[::-1]
    last = wavelength_nm.size - np.searchsorted(backwards, center_nm + reach[0])
    first = wavelength_nm.size - np.searchsorted(backwards, center_nm + reach[1], side="right")
    most = max(int((last - first).max()), 1)
    terms: np.ndarray = np.zeros((center_nm.size, 4, -(-most // LANES) * LANES), kind)
    sums = np.zeros((center_nm.size, 4))
    table = (response.node, response.offset_nm, response.isrf.astype(np.float64))
    _expand(wavelength_nm, width_nm, center_nm, *table, stretch, first, last - first, terms, sums)
    return Expansion(center_nm, stretch, terms, sums, first, last - first)


@njit(cache=True)
def _expand(wavelength, width, center, node, offset_nm, isrf, stretch, first, count, terms, sums):  # type: ignore[no-untyped-def]
    """Interpolate the response by Catmull-Rom through four taps, zero beyond its table; sum the terms."""
    taps, step = offset_nm.size, offset_nm[1] - offset_nm[0]
    shape = np.zeros(taps + 8)  # with room on both sides for what lies beyond
    per_nm, begin, relative = 1.0 / (step * stretch), offset_nm[0] / step - 4.0, 1.0 / stretch
    c0, c1, c2, c3, f = np.empty((5, terms.shape[2]))
    for s in range(center.size):
        k = min(max(int(np.searchsorted(node, s, side="right")) - 1, 0), node.size - 2)
        mix = (s - node[k]) / (node[k + 1] - node[k])
        for i in range(taps):
            shape[i + 4] = (1.0 - mix) * isrf[k, i] + mix * isrf[k + 1, i]
        here, width_here = wavelength[first[s] : first[s] + count[s]], width[first[s] : first[s] + count[s]]
        for m in range(here.size):
            position = min(max((here[m] - center[s]) * per_nm - begin, 1.0), taps + 5.0)
            i = int(position)
            f[m], c0[m], y0, y2, y3 = position - i, shape[i], shape[i - 1], shape[i + 1], shape[i + 2]
            c1[m], c2[m] = 0.5 * (y2 - y0), y0 - 2.5 * c0[m] + 2.0 * y2 - 0.5 * y3
            c3[m] = 1.5 * (c0[m] - y2) + 0.5 * (y3 - y0)
        w0, w1, w2, w3 = terms[s, 0], terms[s, 1], terms[s, 2], terms[s, 3]
        for m in range(here.size):  # apart from the loop above: this one becomes vectors
            x, w = here[m] - center[s], width_here[m]
            slope = -((3.0 * c3[m] * f[m] + 2.0 * c2[m]) * f[m] + c1[m]) * w * per_nm
            w0[m] = (((c3[m] * f[m] + c2[m]) * f[m] + c1[m]) * f[m] + c0[m]) * w
            w1[m] = slope
            w2[m] = (6.0 * c3[m] * f[m] + 2.0 * c2[m]) * w * per_nm**2
            w3[m] = slope * x * relative
        t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0  # side by side, so that no addition waits for the one before
        for m in range(here.size):
            t0 += w0[m]
            t1 += w1[m]
            t2 += w2[m]
            t3 += w3[m]
        sums[s, 0], sums[s, 1], sums[s, 2], sums[s, 3] = t0, t1, t2, t3


@inner
def weights_at(terms, begin, size, shift, widen, weight, slope):  # type: ignore[no-untyped-def]
    """Fill weight and its slope by wavelength, of taps begin.. of a spectel (4, tap) off the centre, then 0.

    shift  nm, widen  relative, both from where the expansion was made
    """
    half, none = weight.dtype.type(0.5), weight.dtype.type(0.0)
    w0, w1 = terms[0, begin : begin + size], terms[1, begin : begin + size]
    w2, w3 = terms[2, begin : begin + size], terms[3, begin : begin + size]
    for m in range(size):
        slope[m] = w1[m] + shift * w2[m]
        weight[m] = w0[m] + shift * (w1[m] + half * shift * w2[m])
    if widen != none:
        for m in range(size):
            weight[m] += widen * w3[m]
    for m in range(size, weight.size):
        weight[m], slope[m] = none, none


@summing
def weighted(terms, begin, size, shift, widen, field):  # type: ignore[no-untyped-def]
    """Return the sum over taps begin.. of the weights of a spectel (see `weights_at`) times a field (tap)."""
    half, none = field.dtype.type(0.5), field.dtype.type(0.0)
    w0, w1 = terms[0, begin : begin + size], terms[1, begin : begin + size]
    w2, total = terms[2, begin : begin + size], none
    for m in range(size):
        total += (w0[m] + shift * (w1[m] + half * shift * w2[m])) * field[m]
    if widen != none:
        total += widen * dot(terms[3, begin : begin + size], field)
    return total


@summing
def dot(weight, field):  # type: ignore[no-untyped-def]
    """Return sum(weight * field); the order of summation is the compiler's, the same at every call."""
    total = weight.dtype.type(0.0)
    for m in range(weight.size):
        total += weight[m] * field[m]
    return total


@summing
def dots(weight, fields, begin, out):  # type: ignore[no-untyped-def]
    """Add sum(weight * field) of every field (field, point) from a point on; four share the weights' way."""
    size, zero = weight.size, weight.dtype.type(0.0)
    f = 0
    while f + 3 < fields.shape[0]:
        a, b = fields[f, begin : begin + size], fields[f + 1, begin : begin + size]
        c, d = fields[f + 2, begin : begin + size], fields[f + 3, begin : begin + size]
        sa, sb, sc, sd = zero, zero, zero, zero
        for m in range(size):
            w = weight[m]
            sa += w * a[m]
            sb += w * b[m]
            sc += w * c[m]
            sd += w * d[m]
        out[f] += sa
        out[f + 1] += sb
        out[f + 2] += sc
        out[f + 3] += sd
        f += 4
    while f < fields.shape[0]:
        out[f] += dot(weight, fields[f, begin : begin + size])
        f += 1
