"""Find the maximum a posteriori state and its error budget (Rodgers 2000)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

GAMMA_MAX = 1e5
SHORTER = 0.25  # a step that led to an impossible state is made as much shorter
CONVERGED = 0.01  # squared step in units of the posterior covariance, per state element
STRAIGHT = 0.005  # the same, below which the model is a straight line
Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Way(NamedTuple):
    """How bent a model is: the damping to begin with (Levenberg-Marquardt), and the squared step, in units of
    the posterior covariance and per element, below which K of the state before serves the next as well."""

    gamma: float
    chord: float


LINEAR, BENT = Way(0.001, 5.0), Way(1.0, 0.05)  # air alone; particles


class Asked(NamedTuple):
    """A state at which a search wants the model, with K or F alone."""

    x: np.ndarray
    slopes: bool


@dataclass(frozen=True)
class Modelled:
    """What a forward model says of a state: F (measurement) and K by parts, each with the columns it fills;
    no parts where K was not asked for."""

    F: np.ndarray
    parts: Sequence[tuple[slice, np.ndarray, np.ndarray]]  # rows, columns (column,), K (row, column)

    def carried(self, step: np.ndarray) -> Modelled:
        """Return what the model says a small step (state) on, by K."""
        F = self.F.copy()
        for rows, columns, part in self.parts:
            F[rows] += part @ step[columns]
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
    """What a search needs of a state vector: prior, its covariance, and elements in which the model is
    linear."""

    @property
    def x_a(self) -> np.ndarray: ...
    @property
    def S_a(self) -> np.ndarray: ...
    @property
    def linear(self) -> np.ndarray: ...


@dataclass
class _Point:
    """A state with what the model says there, the cost, and gradient and half Hessian in units of the
    prior."""

    x: np.ndarray
    said: Modelled
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
    asked for after a short step from a state whose own K is known: that K serves on.
    Works in units of the prior sigma, damped by gamma times the prior's inverse (Levenberg-Marquardt); gamma
    follows
    the ratio of the decrease of the cost to what a linear model promised (Nielsen 1999). After each call the
    linear elements are fitted again without another. The last step is the first whose rms over the state
    elements is below a tenth of the posterior sigma; it is tried undamped, has to keep the cost, and what
    is then left of the way is gone without another call.
    """
    x_a, scale = problem.x_a, np.sqrt(np.diag(problem.S_a))
    prior = np.linalg.inv(problem.S_a / np.outer(scale, scale))
    small, gamma, growth, bent, reach = CONVERGED * x_a.size, way.gamma, 2.0, False, 1.0
    x = x_a.copy() if first_guess is None else first_guess
    problem_units = (measured, x_a, scale, prior, problem.linear)
    here = _assess(x, (yield Asked(x, True)), None, *problem_units)
    for iteration in range(1, max_iterations + 1):
        if not np.isfinite(here.cost):
            return _solution(here, np.zeros(x_a.size), scale, 0, False)
        hessian = here.information + prior
        step = np.linalg.solve(hessian, here.gradient)
        left = step @ here.gradient
        if left < STRAIGHT * x_a.size:  # too little to ask the model again
            return _solution(here, step, scale, iteration, True)
        last = left < small and not bent
        chord = left < way.chord * x_a.size and here.own
        if not last:
            step = np.linalg.solve(hessian + gamma * prior, here.gradient)
        step = reach * step
        x = here.x + step * scale
        there = _assess(x, (yield Asked(x, not chord)), here, *problem_units)
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
        else:
            gamma, growth = gamma * growth, 2.0 * growth
        if end or gamma > GAMMA_MAX:
            step = np.linalg.solve(here.information + prior, here.gradient)
            near = end and better and step @ here.gradient < small
            return _solution(here, step if near else 0.0 * step, scale, iteration, end)
    return _solution(here, np.zeros(x_a.size), scale, max_iterations, False)


def _solution(
    here: _Point, step: np.ndarray, scale: np.ndarray, iterations: int, converged: bool
) -> Solution:
    """End at a state and a step (units of `scale`) from it that is too small to ask the model again."""
    F = here.said.carried(step * scale).F
    information = here.information / np.outer(scale, scale)
    return Solution(here.x + step * scale, F, information, iterations, bool(converged))


def _assess(x, said, before, measured, x_a, scale, prior, linear):  # type: ignore[no-untyped-def]
    """Weigh a state, its linear elements moved to where they fit best; K of the point before where `said` has
    none."""
    d = (x - x_a) / scale
    own = before is None or bool(said.parts)
    if not own:
        said = Modelled(said.F, before.said.parts)
    chi2, information, pull = normal_equations(measured, said, scale, None if own else before.information)
    cost, gradient = chi2 + d @ prior @ d, pull - prior @ d
    if linear.size and np.isfinite(cost):
        hessian = information + prior
        step = np.zeros(x.size)
        step[linear] = np.linalg.solve(hessian[np.ix_(linear, linear)], gradient[linear])
        cost -= step @ gradient
        gradient = gradient - hessian @ step
        x, said = x + step * scale, said.carried(step * scale)
    return _Point(x, said, cost, information, gradient, own)


def normal_equations(
    measured: Measurement, said: Modelled, scale: np.ndarray, known: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return chi-square, K^T S_y^-1 K and K^T S_y^-1 (y - F) with the state in units of `scale`.

    known  K^T S_y^-1 K where it has been computed before
    """
    residual = np.where(measured.precision > 0.0, measured.y - said.F, 0.0)
    weighted = residual * measured.precision
    information, pull = np.zeros((scale.size, scale.size)), np.zeros(scale.size)
    if not np.all(np.isfinite(weighted)):
        return np.inf, information, pull
    root = np.sqrt(measured.precision)
    for rows, columns, part in said.parts:
        if not np.all(measured.precision[rows] > 0.0):  # what is not measured may be no number
            part = np.where(measured.precision[rows, None] > 0.0, part, 0.0)
        pull[columns] += scale[columns] * (weighted[rows] @ part)
        if known is None:
            whitened = part * root[rows, None]
            information[np.ix_(columns, columns)] += whitened.T @ whitened
    if known is None:
        known = information * scale[:, None] * scale
    return float(weighted @ residual), known, pull


@dataclass(frozen=True)
class Given:
    """A problem of a prior and its covariance alone."""

    x_a: np.ndarray
    S_a: np.ndarray
    linear: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


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


def posterior(information: np.ndarray, S_a: np.ndarray) -> Posterior:
    """Return S_hat = (K^T S_y^-1 K + S_a^-1)^-1, G S_y G^T and A = G K of K^T S_y^-1 K; prior units
    inside."""
    scale = np.sqrt(np.diag(S_a))
    unit = np.outer(scale, scale)
    S_hat = np.linalg.inv(information * unit + np.linalg.inv(S_a / unit))
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
