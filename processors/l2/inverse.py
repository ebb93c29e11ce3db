"""Find the maximum a posteriori state and its error budget (Rodgers 2000)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

GAMMA_START = 0.001  # Levenberg-Marquardt; the problem is close to linear
GAMMA_MAX = 1e4
CONVERGED = 0.05  # squared step in units of the posterior covariance, per state element
Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Solution:
    """State (state), model (measurement), Jacobian (measurement, state) and how the search went."""

    x: np.ndarray
    modelled: np.ndarray
    K: np.ndarray
    iterations: int
    converged: bool


@dataclass(frozen=True)
class Posterior:
    """Posterior covariance S_hat, gain G (state, measurement) and averaging kernel A (state, state)."""

    S_hat: np.ndarray
    G: np.ndarray
    A: np.ndarray


def solve(
    model: Model,
    y: np.ndarray,
    variance: np.ndarray,
    x_a: np.ndarray,
    S_a: np.ndarray,
    max_iterations: int = 12,
) -> Solution:
    """Minimise (y-F)^T S_y^-1 (y-F) + (x-x_a)^T S_a^-1 (x-x_a) with a diagonal S_y = variance.

    Works in units of the prior sigma. The last step is the first whose rms over the state elements is below
    a quarter of the posterior sigma; it is taken undamped.
    """
    scale = np.sqrt(np.diag(S_a))
    inverse_prior = np.linalg.inv(S_a / np.outer(scale, scale))
    x, gamma = x_a.copy(), GAMMA_START
    modelled, K = model(x)

    def cost(state: np.ndarray, f: np.ndarray) -> float:
        d = (state - x_a) / scale
        return float(((y - f) ** 2 / variance).sum() + d @ inverse_prior @ d)

    current = cost(x, modelled)
    for iteration in range(1, max_iterations + 1):
        scaled = K * scale
        weighted = scaled.T / variance
        hessian = weighted @ scaled + inverse_prior
        gradient = weighted @ (y - modelled) - inverse_prior @ ((x - x_a) / scale)
        step = np.linalg.solve(hessian, gradient)
        last = step @ gradient < CONVERGED * x.size  # undamped: a step made short by damping is no end
        if not last:
            step = np.linalg.solve(hessian + gamma * inverse_prior, gradient)
        trial = x + step * scale
        f_trial, k_trial = model(trial)
        c_trial = cost(trial, f_trial)
        if not np.isfinite(c_trial) or (c_trial > current and not last):
            gamma *= 10.0
            if gamma > GAMMA_MAX:
                return Solution(x, modelled, K, iteration, False)
            continue
        x, modelled, K, current = trial, f_trial, k_trial, c_trial
        if last:
            return Solution(x, modelled, K, iteration, True)
        gamma /= 10.0
    return Solution(x, modelled, K, max_iterations, False)


def posterior(K: np.ndarray, variance: np.ndarray, S_a: np.ndarray) -> Posterior:
    """Return S_hat = (K^T S_y^-1 K + S_a^-1)^-1, G = S_hat K^T S_y^-1, A = G K; prior units inside."""
    scale = np.sqrt(np.diag(S_a))
    scaled = K * scale
    weighted = scaled.T / variance
    S_hat = np.linalg.inv(weighted @ scaled + np.linalg.inv(S_a / np.outer(scale, scale)))
    G = (S_hat @ weighted) * scale[:, None]
    return Posterior(S_hat * np.outer(scale, scale), G, G @ K)


@dataclass(frozen=True)
class ColumnErrors:
    """Errors of the column h^T x, same unit as x: 1 sigma; kernel (level) normalised by h."""

    total: float
    noise: float
    smoothing: float
    interference: float
    kernel: np.ndarray
    degrees_of_freedom: float


def column_errors(
    post: Posterior, variance: np.ndarray, S_a: np.ndarray, h: np.ndarray, profile: slice
) -> ColumnErrors:
    """Split the variance of h^T x into noise, smoothing (the profile's prior), interference (the others')."""
    gain = h @ post.G[profile]
    kernel = h @ post.A[profile]  # (state)
    own = kernel[profile] - h
    others = np.ones(kernel.size, dtype=bool)
    others[profile] = False
    noise = gain**2 @ variance
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
