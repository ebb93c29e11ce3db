"""Optimal estimation against closed forms, on problems small enough to solve by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from processors.l2 import inverse

algebra = 1e-9
twice_rounding = 1e-12


def linear_problem(seed: int = 1, block_diagonal: bool = True):
    """Give K (12, 5), y, variance, x_a, S_a; the profile is elements 0..2."""
    draw = np.random.default_rng(seed)
    K = draw.normal(size=(12, 5)) * [1.0, 0.3, 0.01, 20.0, 1.0]
    root = draw.normal(size=(5, 5)) + 2.0 * np.eye(5)
    S_a = root @ root.T
    if block_diagonal:
        S_a[:3, 3:] = S_a[3:, :3] = 0.0
    variance = draw.uniform(0.5, 2.0, 12)
    x_a = draw.normal(size=5)
    y = K @ (x_a + np.linalg.cholesky(S_a) @ draw.normal(size=5)) + np.sqrt(variance) * draw.normal(size=12)
    return K, y, variance, x_a, S_a


def test_linear_problem_ends_at_the_closed_form():
    """The m-form of Rodgers (2000) eq. 4.6: x_a + S_a K^T (K S_a K^T + S_y)^-1 (y - K x_a)."""
    K, y, variance, x_a, S_a = linear_problem()
    solution = inverse.solve(lambda x: (K @ x, K), y, variance, x_a, S_a)
    expected = x_a + S_a @ K.T @ np.linalg.solve(K @ S_a @ K.T + np.diag(variance), y - K @ x_a)
    assert solution.converged
    np.testing.assert_allclose(solution.x, expected, rtol=1e-8)
    np.testing.assert_allclose(solution.modelled, K @ solution.x, rtol=twice_rounding)


def test_posterior_identities():
    """S_hat and G in the m-form, A = G K, I - A = S_hat S_a^-1 (Rodgers 2000, eqs. 4.7, 3.28, 2.79)."""
    K, _, variance, _, S_a = linear_problem(block_diagonal=False)
    post = inverse.posterior(K, variance, S_a)
    S_m = K @ S_a @ K.T + np.diag(variance)
    np.testing.assert_allclose(post.G, S_a @ K.T @ np.linalg.inv(S_m), rtol=algebra)
    np.testing.assert_allclose(post.S_hat, S_a - S_a @ K.T @ np.linalg.solve(S_m, K @ S_a), rtol=1e-7)
    np.testing.assert_allclose(post.A, post.G @ K, rtol=algebra)
    np.testing.assert_allclose(np.eye(5) - post.A, post.S_hat @ np.linalg.inv(S_a), rtol=1e-7, atol=algebra)
    np.testing.assert_allclose(post.S_hat, post.S_hat.T, rtol=algebra)


def test_noise_smoothing_and_interference_add_up():
    """With a block-diagonal prior, as state.build gives it, the three variances are the whole."""
    K, _, variance, _, S_a = linear_problem()
    h = np.array([0.2, 0.3, 0.5])
    errors = inverse.column_errors(inverse.posterior(K, variance, S_a), variance, S_a, h, slice(0, 3))
    parts = errors.noise**2 + errors.smoothing**2 + errors.interference**2
    assert parts == pytest.approx(errors.total**2, rel=algebra)
    assert min(errors.noise, errors.smoothing, errors.interference) > 1e-3 * errors.total


def test_correlated_blocks_leave_a_cross_term():
    """Off-diagonal prior: total - parts = 2 (a - h)^T S_cross b; the split is for block-diagonal ones."""
    K, _, variance, _, S_a = linear_problem(block_diagonal=False)
    h = np.array([0.2, 0.3, 0.5])
    post = inverse.posterior(K, variance, S_a)
    errors = inverse.column_errors(post, variance, S_a, h, slice(0, 3))
    kernel = h @ post.A[:3]
    cross = 2.0 * (kernel[:3] - h) @ S_a[:3, 3:] @ kernel[3:]
    parts = errors.noise**2 + errors.smoothing**2 + errors.interference**2
    assert errors.total**2 - parts == pytest.approx(cross, rel=1e-6)
    assert abs(cross) > 1e-3 * errors.total**2


def test_errors_are_those_of_many_retrievals():
    """Scatter of the column over draws of truth and noise: 20 000 draws know a sigma to 0.5 %."""
    two_percent = 0.02
    K, _, variance, _, S_a = linear_problem()
    h = np.array([0.2, 0.3, 0.5])
    post = inverse.posterior(K, variance, S_a)
    errors = inverse.column_errors(post, variance, S_a, h, slice(0, 3))
    draw = np.random.default_rng(5)
    truth = np.linalg.cholesky(S_a) @ draw.normal(size=(5, 20_000))
    noise = np.sqrt(variance)[:, None] * draw.normal(size=(12, 20_000))
    found = post.G @ (K @ truth + noise)
    assert (h @ (found - truth)[:3]).std() == pytest.approx(errors.total, rel=two_percent)
    assert (h @ (post.G @ noise)[:3]).std() == pytest.approx(errors.noise, rel=two_percent)
    smoothed = (h * errors.kernel) @ truth[:3]
    beside = found[:3].T @ h - smoothed
    own = np.hypot(errors.noise, errors.interference)
    assert beside.std() == pytest.approx(own, rel=two_percent)


def test_degrees_of_freedom_and_kernel():
    K, _, variance, _, S_a = linear_problem()
    h = np.array([0.2, 0.3, 0.5])
    post = inverse.posterior(K, variance, S_a)
    errors = inverse.column_errors(post, variance, S_a, h, slice(0, 3))
    assert errors.degrees_of_freedom == pytest.approx(np.trace(post.A[:3, :3]), rel=twice_rounding)
    np.testing.assert_allclose(errors.kernel * h, h @ post.A[:3, :3], rtol=twice_rounding)


def beer(seed: int = 4):
    """Give a mildly non-linear problem: transmission through two gases with an offset."""
    draw = np.random.default_rng(seed)
    depth = draw.uniform(0.0, 2.0, (30, 2))

    def model(x):
        f = np.exp(-depth @ x[:2])
        return f + x[2], np.column_stack([-depth * f[:, None], np.ones(30)])

    x_a, S_a = np.array([1.0, 1.0, 0.0]), np.diag([0.5, 0.5, 0.1]) ** 2
    variance = np.full(30, 1e-3**2)
    y = model(np.array([1.6, 0.4, 0.03]))[0] + 1e-3 * draw.normal(size=30)
    return model, y, variance, x_a, S_a


def least_squares(model, y, variance, x_a, S_a):
    """Minimise the same cost by scipy."""
    white = np.linalg.cholesky(np.linalg.inv(S_a)).T

    def residual(x):
        return np.concatenate([(y - model(x)[0]) / np.sqrt(variance), white @ (x - x_a)])

    return optimize.least_squares(residual, x_a, xtol=1e-14, ftol=1e-14, gtol=1e-14).x


def test_mildly_non_linear_problem_ends_at_the_minimum():
    model, y, variance, x_a, S_a = beer()
    solution = inverse.solve(model, y, variance, x_a, S_a)
    expected = least_squares(model, y, variance, x_a, S_a)
    sigma = np.sqrt(np.diag(inverse.posterior(solution.K, variance, S_a).S_hat))
    assert solution.converged
    assert solution.iterations < 10
    assert np.all(np.abs(solution.x - expected) < 0.1 * sigma)  # the criterion is 0.1 sigma a state element


def saturating(x):
    """Give a model whose full Gauss-Newton step overshoots ever further: arctan far from its root."""
    return np.arctan(x), np.array([[1.0 / (1.0 + x[0] ** 2)]])


def test_overshooting_problem_converges_truly_or_says_so():
    """Damping makes steps short: that is no convergence. Wide prior, so that data decide."""
    y, variance, x_a, S_a = np.array([0.0]), np.array([1e-6]), np.array([5.0]), np.array([[100.0]])
    solution = inverse.solve(saturating, y, variance, x_a, S_a, max_iterations=40)
    if solution.converged:
        assert abs(solution.x[0]) < 1e-3  # three standard deviations of the noise
    else:
        assert abs(solution.x[0]) <= 5.0  # never worse than where it began


def test_steps_too_bold_are_damped_but_the_end_is_not_taken_for_convergence():
    """A minimum far away behind a flat model: a converged answer has a vanishing gradient."""
    y, variance, x_a, S_a = np.array([1.45]), np.array([1e-8]), np.array([-3.0]), np.array([[25.0]])
    solution = inverse.solve(saturating, y, variance, x_a, S_a, max_iterations=60)
    if solution.converged:
        x, K = solution.x[0], solution.K[0, 0]
        gradient = K * (1.45 - np.arctan(x)) / 1e-8 - (x + 3.0) / 25.0
        newton = gradient / (K**2 / 1e-8 + 1 / 25.0)
        assert newton**2 * (K**2 / 1e-8 + 1 / 25.0) < 1.0  # within one posterior sigma of the minimum


def test_iteration_limit_is_no_convergence():
    model, y, variance, x_a, S_a = beer()
    solution = inverse.solve(model, y, variance, x_a, S_a, max_iterations=1)
    assert not solution.converged
    assert solution.iterations == 1


@pytest.mark.filterwarnings("error")
def test_model_without_numbers_ends_unconverged_at_the_prior():
    def broken(x):
        return (np.array([1.0]) if x[0] == 0.0 else np.array([np.nan])), np.array([[1.0]])

    solution = inverse.solve(broken, np.array([5.0]), np.array([1.0]), np.zeros(1), np.eye(1), 20)
    assert not solution.converged
    np.testing.assert_array_equal(solution.x, 0.0)


@pytest.mark.parametrize("variance", [1.0, 1e4])
def test_model_that_grows_where_its_jacobian_falls_ends_unconverged(variance):
    """A Jacobian of the wrong sign: every step raises the cost, none is taken, short or long."""
    solution = inverse.solve(
        lambda x: (x**3 + 10.0 * x, np.array([[-10.0]])),
        np.array([100.0]), np.array([variance]), np.array([1.0]), np.array([[1e4]]), 30,
    )  # fmt: skip
    assert not solution.converged
    assert solution.x[0] == 1.0
