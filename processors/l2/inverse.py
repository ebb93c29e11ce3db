"""Find the maximum a posteriori state and its error budget (Rodgers 2000)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from . import gram

GAMMA_MAX = 1e5
SHORTER = 0.25  # a step that led to an impossible state is made as much shorter
CONVERGED = 0.01  # squared step in units of the posterior covariance, per state element
MOST_BRIGHTER = 10.0  # in the cores of lines light is next to nothing, and its ratio means as much
STRAIGHT = 0.005  # the same, that may be left when the last step is gone on the straight line of K
Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Way(NamedTuple):
    """How bent a model is: the damping to begin with (Levenberg-Marquardt), and the squared step, in units of
    the posterior covariance and per element, below which K of the state before serves the next as well, and
    what a K that has served may be expected to leave if it is to serve once more."""

    gamma: float
    chord: float
    again: float = 0.0


LINEAR, BENT = Way(0.001, 1000.0, 0.5), Way(1.0, 0.05)  # air alone; particles
Parts = Sequence[tuple[slice, np.ndarray, np.ndarray]]  # rows, columns (column,), K (row, column)


class Asked(NamedTuple):
    """A state at which a search wants the model, with K or F alone."""

    x: np.ndarray
    slopes: bool


@dataclass(frozen=True)
class Modelled:
    """What a forward model says of a state: F (measurement) and K by parts, each with the columns it fills;
    no parts where K was not asked for."""

    F: np.ndarray
    parts: Parts

    def carried(self, step: np.ndarray) -> Modelled:
        """Return what the model says a small step (state) on, by K."""
        F = self.F.copy()
        for rows, columns, part in self.parts:
            if step[columns].any():  # K need not be numbers where the search could not begin
                F[rows] += part @ step[columns].astype(part.dtype)
        return Modelled(F, self.parts)

    def dense(self, size: int) -> np.ndarray:
        """Return K (measurement, state)."""
        K = np.zeros((self.F.size, size))
        for rows, columns, part in self.parts:
            K[rows, columns] = part
        return K


@dataclass(frozen=True)
class Measurement:
    """Radiance y (measurement) and 1/variance, 0 where there is none."""

    y: np.ndarray
    precision: np.ndarray


@dataclass(frozen=True)
class Solution:
    """State, what the model says there, K^T S_y^-1 K (state, state), and how the search went."""

    x: np.ndarray
    modelled: np.ndarray
    information: np.ndarray
    iterations: int
    converged: bool


@dataclass(frozen=True)
class Posterior:
    """Posterior covariance S_hat, its part from noise, and averaging kernel A, all (state, state)."""

    S_hat: np.ndarray
    S_noise: np.ndarray
    A: np.ndarray


class Problem(Protocol):
    """What a search needs of a state vector: the prior and how sure it is, elements in which the model is
    linear, and elements that take away a share of the light, whose slopes go with it."""

    @property
    def x_a(self) -> np.ndarray: ...
    @property
    def sigma(self) -> np.ndarray: ...  # 1 sigma of the prior
    @property
    def prior(self) -> np.ndarray: ...  # inverse covariance in units of sigma
    @property
    def linear(self) -> np.ndarray: ...
    @property
    def absorbing(self) -> np.ndarray: ...


class _Units(NamedTuple):
    """A measurement and the prior it is held against, in units of the prior sigma."""

    measured: Measurement
    root: np.ndarray  # (measurement) 1/sigma, 0 where there is none
    x_a: np.ndarray
    scale: np.ndarray
    prior: np.ndarray  # inverse covariance
    linear: np.ndarray  # (index)
    absorbing: np.ndarray  # (state) whether


@dataclass
class _Point:
    """A state with what the model says there, the cost, and gradient and half Hessian in units of the
    prior."""

    x: np.ndarray
    asked: np.ndarray  # the state of which `said` speaks
    said: Modelled
    whitened: Parts
    cost: float
    information: np.ndarray
    gradient: np.ndarray
    own: bool  # K is of this state, not of the one before


def search(
    measured: Measurement,
    problem: Problem,
    max_iterations: int = 12,
    way: Way = LINEAR,
    first_guess: np.ndarray | None = None,
) -> Generator[Asked, Modelled, Solution]:
    """Minimise (y-F)^T S_y^-1 (y-F) + (x-x_a)^T S_a^-1 (x-x_a) with a diagonal S_y.

    Yields what it asks of the model, and is sent `Modelled`: many searches can so share one call. K is not
    asked for after a step below `way.chord` from a state whose own K is known: that K serves on, and again
    where it has left little of its last step. Where such a step is for the worse, K is asked for at the state
    it began from.
    Works in units of the prior sigma, damped by gamma times the prior's inverse (Levenberg-Marquardt); gamma
    follows
    the ratio of the decrease of the cost to what a linear model promised (Nielsen 1999). After each call the
    linear elements are fitted again without another. The last step is the first whose rms over the state
    elements is below a tenth of the posterior sigma; it is tried undamped, has to keep the cost, and what
    is then left of the way is gone without another call. So is a step by a K that has served before, where
    what it will leave is as little.
    """
    x_a, scale, prior = problem.x_a, problem.sigma, problem.prior
    small, gamma, growth, bent, reach = CONVERGED * x_a.size, way.gamma, 2.0, False, 1.0
    x, before = x_a.copy() if first_guess is None else first_guess, 0.0
    root = np.sqrt(measured.precision)
    absorbing = np.isin(np.arange(x_a.size), problem.absorbing)
    units = _Units(measured, root, x_a, scale, prior, problem.linear, absorbing)
    here = _assess(x, (yield Asked(x, True)), None, units)
    for iteration in range(1, max_iterations + 1):
        if not np.isfinite(here.cost):
            return _solution(here, np.zeros(x_a.size), scale, iteration - 1, False)
        hessian = here.information + prior
        step = gram.solve(hessian, here.gradient)
        left = step @ here.gradient
        # Another step by the same K leaves twice the share that the first left of itself: where a model bends
        # evenly, it is off by half of what its slopes have changed by, and then by all of it
        share = 1.0 if here.own else min(4.0 * left / before, 1.0)
        if left < STRAIGHT * x_a.size or (share < 1.0 and left * share < small):
            return _solution(here, step, scale, iteration, True)
        before = left
        last = left < small and not bent
        worn = not here.own
        chord = left * share < (way.again if worn else way.chord) * x_a.size and (share < 1.0 or not worn)
        if not last:
            step = gram.solve(hessian + gamma * prior, here.gradient)
        step = reach * step
        x = here.x + step * scale
        there = _assess(x, (yield Asked(x, not chord)), here, units)
        if not np.isfinite(there.cost):  # no such air: not as far
            reach *= SHORTER
            continue
        reach = 1.0
        promised = step @ (2.0 * here.gradient - hessian @ step)
        ratio = (here.cost - there.cost) / promised
        end = (
            last and abs(there.cost - here.cost) < small
        )  # a worse last step is rounding or the bend of the model
        bent = last and not end
        better = there.cost < here.cost
        if better:
            here = there
            gamma *= max(1.0 / 3.0, 1.0 - (2.0 * min(ratio, 1.0) - 1.0) ** 3)
            growth = 2.0
        elif worn and not end:  # K of another state may have led astray
            here = _assess(here.x, (yield Asked(here.x, True)), None, units)
        else:
            gamma, growth = gamma * growth, 2.0 * growth
        if end or gamma > GAMMA_MAX:
            step = gram.solve(here.information + prior, here.gradient)
            near = end and better and step @ here.gradient < small
            return _solution(here, step if near else 0.0 * step, scale, iteration, end)
    return _solution(here, np.zeros(x_a.size), scale, max_iterations, False)


def _solution(
    here: _Point, step: np.ndarray, scale: np.ndarray, iterations: int, converged: bool
) -> Solution:
    """End at a state and a step (units of `scale`) from it that is too small to ask the model again."""
    x = here.x + step * scale
    F = here.said.carried(x - here.asked).F
    information = here.information / np.outer(scale, scale)
    return Solution(x, F, information, iterations, bool(converged))


def _assess(x: np.ndarray, said: Modelled, before: _Point | None, units: _Units) -> _Point:
    """Weigh a state and move its linear elements to where they fit best by K: that of the state, or of the
    point before where `said` has none."""
    if before is not None and not said.parts:
        return _by_slopes_of(before, x, said.F, units)
    at, F = _refitted(x, said.F, said.parts, units)
    brighter = np.divide(F, said.F, out=np.ones_like(F), where=(said.F > 0.0) & np.isfinite(F))
    brighter = np.clip(brighter, 1.0 / MOST_BRIGHTER, MOST_BRIGHTER)
    whitened = whiten(units.root, said.parts, brighter, units.absorbing)
    d = (at - units.x_a) / units.scale
    chi2, information, pull = normal_equations(units.measured.y, units.root, F, whitened, units.scale)
    pulled = units.prior @ d
    return _Point(
        at, at, Modelled(F, said.parts), whitened, chi2 + d @ pulled, information, pull - pulled, True
    )


def _by_slopes_of(before: _Point, x: np.ndarray, F: np.ndarray, units: _Units) -> _Point:
    """Weigh a state by K of the point before; F stays that of `x`, and is carried on only at the end."""
    d = (x - units.x_a) / units.scale
    known, linear = before.information, units.linear
    chi2, _, pull = normal_equations(units.measured.y, units.root, F, before.whitened, units.scale, known)
    pulled = units.prior @ d
    cost, gradient, at = chi2 + d @ pulled, pull - pulled, x
    if linear.size and np.isfinite(cost):
        hessian = known + units.prior
        step = np.zeros(x.size)
        step[linear] = gram.solve(hessian[np.ix_(linear, linear)], gradient[linear])
        cost, gradient, at = cost - step @ gradient, gradient - hessian @ step, x + step * units.scale
    return _Point(at, x, Modelled(F, before.said.parts), before.whitened, cost, known, gradient, False)


def _refitted(x: np.ndarray, F: np.ndarray, parts: Parts, units: _Units) -> tuple[np.ndarray, np.ndarray]:
    """Fit the linear elements again with K, no others; return the state and F there."""
    linear, residual = units.linear, units.root * np.where(units.root > 0.0, units.measured.y - F, 0.0)
    if not linear.size or not np.all(np.isfinite(residual)):
        return x, F
    hessian = units.prior[np.ix_(linear, linear)]
    gradient = -(units.prior @ ((x - units.x_a) / units.scale))[linear]
    place = np.full(x.size, -1)
    place[linear] = np.arange(linear.size)
    some = []
    for rows, columns, part in parts:
        held, root = _held(place[columns] >= 0), units.root[rows]
        at, slopes = place[columns[held]], part.T[held]
        if not root.all():
            slopes = np.where(root == 0.0, slopes.dtype.type(0.0), slopes)
        whitened, scale = slopes * root.astype(slopes.dtype), units.scale[columns[held]]
        hessian[np.ix_(at, at)] += gram.gram(whitened) * np.outer(scale, scale)
        gradient[at] += gram.pull(whitened, residual[rows]) * scale
        some.append((rows, at, slopes))
    step = gram.solve(hessian, gradient) * units.scale[linear]
    x, F = x.copy(), F.copy()
    x[linear] += step
    for rows, at, slopes in some:
        F[rows] += step[at] @ slopes
    return x, F


def _held(wanted: np.ndarray) -> slice | np.ndarray:
    """Return where a mask is true, as a slice if that is one run: arrays are then not copied."""
    at = np.flatnonzero(wanted)
    if at.size and at[-1] - at[0] + 1 == at.size:
        return slice(int(at[0]), int(at[-1]) + 1)
    return at


def whiten(
    root: np.ndarray, parts: Parts, brighter: np.ndarray | None = None, absorbing: np.ndarray | None = None
) -> Parts:
    """Return K times `root`, 0 where that is: what is not measured may be no number.

    brighter  (measurement) light over that at which K was asked for: slopes by absorbing elements (state) go
    with it
    """
    out = []
    for rows, columns, part in parts:
        own = root[rows].astype(part.dtype)
        whitened = part * own[:, None]
        if brighter is not None and absorbing is not None:
            held = _held(absorbing[columns])
            whitened[:, held] = part[:, held] * (own * brighter[rows].astype(part.dtype))[:, None]
        if not own.all():
            whitened[own == 0.0] = 0.0
        out.append((rows, columns, whitened))
    return out


def normal_equations(
    y: np.ndarray,
    root: np.ndarray,
    F: np.ndarray,
    whitened: Parts,
    scale: np.ndarray,
    known: np.ndarray | None = None,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return chi-square, K^T S_y^-1 K and K^T S_y^-1 (y - F) with the state in units of `scale`; infinity and
    zeros where not all are numbers.

    root  1/sigma of y, 0 where there is none;  whitened  K times root
    known  K^T S_y^-1 K where it has been computed before
    """
    residual = np.where(root > 0.0, y - F, 0.0) * root
    information, pull = np.zeros((scale.size, scale.size)), np.zeros(scale.size)
    with np.errstate(all="ignore"):
        for rows, columns, part in whitened:
            pull[columns] += scale[columns] * gram.pull(part.T, residual[rows])
            if known is None:
                information[np.ix_(columns, columns)] += gram.gram(part.T)
        if known is None:
            known = information * scale[:, None] * scale
    if not (np.all(np.isfinite(pull)) and np.all(np.isfinite(known))):
        return np.inf, np.zeros_like(information), np.zeros(scale.size)
    return float(residual @ residual), known, pull


@dataclass(frozen=True)
class Given:
    """A problem of a prior and its covariance alone."""

    x_a: np.ndarray
    S_a: np.ndarray
    linear: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    absorbing: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def sigma(self) -> np.ndarray:
        return np.sqrt(np.diag(self.S_a))

    @property
    def prior(self) -> np.ndarray:
        return np.linalg.inv(self.S_a / np.outer(self.sigma, self.sigma))


def solve(
    model: Model,
    y: np.ndarray,
    variance: np.ndarray,
    x_a: np.ndarray,
    S_a: np.ndarray,
    max_iterations: int = 12,
) -> Solution:
    """Run one search with a model that gives F (measurement) and K (measurement, state)."""
    hunt = search(Measurement(y, 1.0 / variance), Given(x_a, S_a), max_iterations)
    asked = next(hunt)
    while True:
        F, K = model(asked.x)
        try:
            asked = hunt.send(Modelled(F, [(slice(None), np.arange(x_a.size), K)]))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def posterior(information: np.ndarray, S_a: np.ndarray, prior: np.ndarray | None = None) -> Posterior:
    """Return S_hat = (K^T S_y^-1 K + S_a^-1)^-1, G S_y G^T and A = G K of K^T S_y^-1 K.

    prior  inverse of S_a in units of its sigma, where known; in these all is worked out
    """
    scale = np.sqrt(np.diag(S_a))
    unit = np.outer(scale, scale)
    S_hat = np.linalg.inv(information * unit + (np.linalg.inv(S_a / unit) if prior is None else prior))
    A = S_hat @ (information * unit)
    return Posterior(S_hat * unit, A @ S_hat * unit, A * scale[:, None] / scale)


@dataclass(frozen=True)
class ColumnErrors:
    """Errors of the column h^T x, same unit as x: 1 sigma; kernel (level) normalised by h."""

    total: float
    noise: float
    smoothing: float
    interference: float
    kernel: np.ndarray
    degrees_of_freedom: float


def column_errors(post: Posterior, S_a: np.ndarray, h: np.ndarray, profile: slice) -> ColumnErrors:
    """Split the variance of h^T x into noise, smoothing (the profile's prior), interference (the others')."""
    kernel = h @ post.A[profile]  # (state)
    own = kernel[profile] - h
    others = np.ones(kernel.size, dtype=bool)
    others[profile] = False
    noise = h @ post.S_noise[profile, profile] @ h
    smoothing = own @ S_a[profile, profile] @ own
    interference = kernel[others] @ S_a[np.ix_(others, others)] @ kernel[others]
    return ColumnErrors(
        total=float(np.sqrt(h @ post.S_hat[profile, profile] @ h)),
        noise=float(np.sqrt(noise)),
        smoothing=float(np.sqrt(smoothing)),
        interference=float(np.sqrt(interference)),
        kernel=kernel[profile] / h,
        degrees_of_freedom=float(np.trace(post.A[profile, profile])),
    )
