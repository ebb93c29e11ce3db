"""Optimal estimation against closed forms, on problems small enough to solve by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from processors.l2 import inverse
from processors.l2.inverse import Given, Measurement, Modelled

algebra = 1e-9
twice_rounding = 1e-12
PROFILE = slice(0, 3)
H = np.array([0.2, 0.3, 0.5])
LINE = np.linspace(0.2, 2.0, 30)


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


def posterior_of(K, variance, S_a) -> inverse.Posterior:
    return inverse.posterior(K.T @ (K / variance[:, None]), S_a)


def gain(K, variance, S_a) -> np.ndarray:
    """The m-form of Rodgers (2000) eq. 4.9: S_a K^T (K S_a K^T + S_y)^-1."""
    return S_a @ K.T @ np.linalg.inv(K @ S_a @ K.T + np.diag(variance))


def follow(hunt, model, asked: list[bool] | None = None) -> inverse.Solution:
    """Answer a search until it ends; with a list, note where K is asked for and give no other."""
    wish = next(hunt)
    while True:
        said = model(wish.x)
        if asked is not None:
            asked.append(wish.slopes)
            said = said if wish.slopes else Modelled(said.F, [])
        try:
            wish = hunt.send(said)
        except StopIteration as end:
            return end.value


def dense(F: np.ndarray, K: np.ndarray) -> Modelled:
    return Modelled(F, [(slice(None), np.arange(K.shape[1]), K)])


@pytest.mark.parametrize("begin", [None, 3.0])
def test_linear_problem_ends_at_the_closed_form(begin):
    """x_a + G (y - K x_a), wherever the search begins: the first guess is no prior."""
    K, y, variance, x_a, S_a = linear_problem()
    guess = None if begin is None else x_a + begin
    hunt = inverse.search(Measurement(y, 1.0 / variance), Given(x_a, S_a), 12, first_guess=guess)
    solution = follow(hunt, lambda x: dense(K @ x, K))
    expected = x_a + gain(K, variance, S_a) @ (y - K @ x_a)
    assert solution.converged
    np.testing.assert_allclose(solution.x, expected, rtol=1e-8)
    np.testing.assert_allclose(solution.modelled, K @ solution.x, rtol=twice_rounding)
    np.testing.assert_allclose(solution.information, K.T @ (K / variance[:, None]), rtol=algebra)


def test_solve_answers_one_search():
    K, y, variance, x_a, S_a = linear_problem()
    solution = inverse.solve(lambda x: (K @ x, K), y, variance, x_a, S_a)
    np.testing.assert_allclose(solution.x, x_a + gain(K, variance, S_a) @ (y - K @ x_a), rtol=1e-8)


def test_posterior_identities():
    """S_hat in the m-form, A = G K, I - A = S_hat S_a^-1 (Rodgers 2000: 4.7, 3.28, 2.79), and by parts."""
    K, _, variance, _, S_a = linear_problem(block_diagonal=False)
    post, G = posterior_of(K, variance, S_a), gain(K, variance, S_a)
    S_m = K @ S_a @ K.T + np.diag(variance)
    unit = np.eye(5)
    np.testing.assert_allclose(post.S_hat, S_a - S_a @ K.T @ np.linalg.solve(S_m, K @ S_a), rtol=1e-7)
    np.testing.assert_allclose(post.A, G @ K, rtol=1e-7, atol=algebra)
    np.testing.assert_allclose(post.S_noise, G @ np.diag(variance) @ G.T, rtol=1e-7, atol=algebra)
    np.testing.assert_allclose(unit - post.A, post.S_hat @ np.linalg.inv(S_a), rtol=1e-7, atol=algebra)
    smoothing = (unit - post.A) @ S_a @ (unit - post.A).T
    np.testing.assert_allclose(post.S_hat, post.S_noise + smoothing, rtol=algebra)
    np.testing.assert_allclose(post.S_hat, post.S_hat.T, rtol=algebra)


def test_posterior_keeps_its_digits_where_units_differ():
    """States of 1e-4 and 1e6 beside each other, as nanometres and molecules are, change nothing."""
    K, _, variance, _, S_a = linear_problem()
    units = np.array([1e6, 1e-4, 1.0, 1e3, 1e-5])
    post = posterior_of(K, variance, S_a)
    scaled = posterior_of(K / units, variance, S_a * np.outer(units, units))
    np.testing.assert_allclose(scaled.S_hat / np.outer(units, units), post.S_hat, rtol=algebra)
    np.testing.assert_allclose(scaled.A * units / units[:, None], post.A, rtol=algebra)


def test_noise_smoothing_and_interference_add_up():
    """With a block-diagonal prior, as state.build gives it, the three variances are the whole."""
    K, _, variance, _, S_a = linear_problem()
    errors = inverse.column_errors(posterior_of(K, variance, S_a), S_a, H, PROFILE)
    parts = errors.noise**2 + errors.smoothing**2 + errors.interference**2
    assert parts == pytest.approx(errors.total**2, rel=algebra)
    assert min(errors.noise, errors.smoothing, errors.interference) > 1e-3 * errors.total
    assert errors.noise == pytest.approx(np.sqrt(variance @ (H @ gain(K, variance, S_a)[:3]) ** 2), rel=1e-7)


def test_correlated_blocks_leave_a_cross_term():
    """Off-diagonal prior: total - parts = 2 (a - h)^T S_cross b; the split is for block-diagonal ones."""
    K, _, variance, _, S_a = linear_problem(block_diagonal=False)
    post = posterior_of(K, variance, S_a)
    errors = inverse.column_errors(post, S_a, H, PROFILE)
    kernel = H @ post.A[:3]
    cross = 2.0 * (kernel[:3] - H) @ S_a[:3, 3:] @ kernel[3:]
    parts = errors.noise**2 + errors.smoothing**2 + errors.interference**2
    assert errors.total**2 - parts == pytest.approx(cross, rel=1e-6)
    assert abs(cross) > 1e-3 * errors.total**2


def test_errors_are_those_of_many_retrievals():
    """Scatter of the column over draws of truth and noise: 20 000 draws know a sigma to 0.5 %."""
    two_percent = 0.02
    K, _, variance, _, S_a = linear_problem()
    G = gain(K, variance, S_a)
    errors = inverse.column_errors(posterior_of(K, variance, S_a), S_a, H, PROFILE)
    draw = np.random.default_rng(5)
    truth = np.linalg.cholesky(S_a) @ draw.normal(size=(5, 20_000))
    noise = np.sqrt(variance)[:, None] * draw.normal(size=(12, 20_000))
    found = G @ (K @ truth + noise)
    assert (H @ (found - truth)[:3]).std() == pytest.approx(errors.total, rel=two_percent)
    assert (H @ (G @ noise)[:3]).std() == pytest.approx(errors.noise, rel=two_percent)
    beside = found[:3].T @ H - (H * errors.kernel) @ truth[:3]
    own = np.hypot(errors.noise, errors.interference)
    assert beside.std() == pytest.approx(own, rel=two_percent)


def test_degrees_of_freedom_and_kernel():
    K, _, variance, _, S_a = linear_problem()
    post = posterior_of(K, variance, S_a)
    errors = inverse.column_errors(post, S_a, H, PROFILE)
    A = gain(K, variance, S_a) @ K
    assert errors.degrees_of_freedom == pytest.approx(np.trace(A[:3, :3]), rel=1e-7)
    np.testing.assert_allclose(errors.kernel * H, H @ A[:3, :3], rtol=1e-7)


def test_parts_and_one_dense_jacobian_are_the_same_problem():
    """Two bands that share a column and have one each, against the whole with its zeros."""
    draw = np.random.default_rng(8)
    K = np.zeros((12, 5))
    first, second = np.array([0, 1, 4]), np.array([3, 0, 2])  # the order of columns is the part's own
    K[:7, first], K[7:, second] = draw.normal(size=(7, 3)), draw.normal(size=(5, 3))
    F, y, precision, scale = (
        *draw.normal(size=(2, 12)),
        draw.uniform(0.5, 2.0, 12),
        np.array([1, 2, 3, 4, 5.0]),
    )
    parts = Modelled(F, [(slice(0, 7), first, K[:7, first]), (slice(7, 12), second, K[7:, second])])
    np.testing.assert_array_equal(parts.dense(5), K)
    root = np.sqrt(precision)
    whole = inverse.normal_equations(y, root, F, inverse.whiten(root, dense(F, K).parts), scale)
    by_parts = inverse.normal_equations(y, root, F, inverse.whiten(root, parts.parts), scale)
    for one, other in zip(by_parts, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=twice_rounding, atol=twice_rounding)
    np.testing.assert_allclose(whole[1], scale[:, None] * K.T @ np.diag(precision) @ K * scale, rtol=1e-10)
    np.testing.assert_allclose(whole[2], scale * (K.T @ (precision * (y - F))), rtol=1e-10)
    assert whole[0] == pytest.approx(precision @ (y - F) ** 2, rel=1e-10)


@pytest.mark.parametrize(("of_y", "of_F"), [(1e30, 0.0), (0.0, -1e25), (np.nan, 0.0), (0.0, np.nan)])
def test_what_has_no_precision_counts_for_nothing(of_y, of_F):
    """A broken spectel, and a model that has nothing to say there, leave the search as without them."""
    K, y, variance, x_a, S_a = linear_problem()
    keep = np.ones(12, dtype=bool)
    keep[[2, 7]] = False
    garbage = np.where(keep, 0.0, of_F)

    def solution(measured, rows):
        return follow(
            inverse.search(measured, Given(x_a, S_a)), lambda x: dense((K @ x + garbage)[rows], K[rows])
        )

    precision = np.where(keep, 1.0 / variance, 0.0)
    masked = solution(Measurement(np.where(keep, y, of_y), precision), slice(None))
    without = solution(Measurement(y[keep], 1.0 / variance[keep]), keep)
    assert masked.converged
    assert masked.iterations == without.iterations
    np.testing.assert_allclose(masked.x, without.x, rtol=1e-10)
    np.testing.assert_allclose(masked.information, without.information, rtol=1e-10)


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


def cost(model, y, variance, x_a, S_a, x) -> float:
    d, r = x - x_a, y - model(x)[0]
    return float(r @ (r / variance) + d @ np.linalg.solve(S_a, d))


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
    sigma = np.sqrt(np.diag(inverse.posterior(solution.information, S_a).S_hat))
    assert solution.converged
    assert solution.iterations < 10
    # a step of a quarter sigma is the last; the model bends little over it
    assert np.all(np.abs(solution.x - expected) < 0.1 * sigma)


def test_searches_that_take_turns_end_as_each_alone():
    """A generator keeps nothing outside itself."""
    problems = [beer(seed) for seed in (4, 5, 6)]
    hunts = [inverse.search(Measurement(y, 1.0 / v), Given(x_a, S_a)) for _, y, v, x_a, S_a in problems]
    wanted, ends = {n: next(hunt) for n, hunt in enumerate(hunts)}, {}
    while wanted:
        for n, asked in list(wanted.items()):
            try:
                wanted[n] = hunts[n].send(dense(*problems[n][0](asked.x)))
            except StopIteration as end:
                ends[n] = end.value
                del wanted[n]
    for n, problem in enumerate(problems):
        alone = inverse.solve(*problem)
        np.testing.assert_array_equal(ends[n].x, alone.x)
        assert ends[n].iterations == alone.iterations


@pytest.mark.parametrize("gamma", [inverse.LINEAR.gamma, inverse.BENT.gamma, 100.0])
def test_damping_changes_the_way_and_not_the_end(gamma):
    model, y, variance, x_a, S_a = beer()
    hunt = inverse.search(Measurement(y, 1.0 / variance), Given(x_a, S_a), 40, inverse.Way(gamma, 0.05))
    solution = follow(hunt, lambda x: dense(*model(x)))
    sigma = np.sqrt(np.diag(inverse.posterior(solution.information, S_a).S_hat))
    assert solution.converged
    expected = least_squares(model, y, variance, x_a, S_a)
    assert np.all(np.abs(solution.x - expected) < 0.1 * sigma)


def test_slopes_serve_on_after_a_short_step():
    """K is asked for at the first states; short of the end F is enough, and K left out changes little."""
    model, y, variance, x_a, S_a = beer()
    variance = 2500.0 * variance  # a step that is short in sigma
    asked, ends = [], []
    for noted in (asked, None):
        hunt = inverse.search(Measurement(y, 1.0 / variance), Given(x_a, S_a), 30, inverse.Way(0.001, 5.0))
        ends.append(follow(hunt, lambda x: dense(*model(x)), noted))
    calls = asked[: asked.index(False) + 1]
    assert calls[0]
    assert calls.count(False) == 1
    sigma = np.sqrt(np.diag(inverse.posterior(ends[1].information, S_a).S_hat))
    assert all(end.converged for end in ends)
    assert np.all(np.abs(ends[0].x - least_squares(model, y, variance, x_a, S_a)) < 0.1 * sigma)
    lazy_sigma = np.sqrt(np.diag(inverse.posterior(ends[0].information, S_a).S_hat))
    np.testing.assert_allclose(lazy_sigma, sigma, rtol=0.03)


def test_linear_elements_change_the_way_and_not_the_end():
    """The offset is fitted again after each call."""
    model, y, variance, x_a, S_a = beer()
    hunt = inverse.search(Measurement(y, 1.0 / variance), Given(x_a, S_a, np.array([2])), 30)
    solution = follow(hunt, lambda x: dense(*model(x)))
    sigma = np.sqrt(np.diag(inverse.posterior(solution.information, S_a).S_hat))
    expected = least_squares(model, y, variance, x_a, S_a)
    assert solution.converged
    assert np.all(np.abs(solution.x - expected) < 0.1 * sigma)


def test_linear_elements_alone_need_one_call():
    """All linear: the first answer of the model is enough, wherever it was asked."""
    K, y, variance, x_a, S_a = linear_problem()
    calls = []
    hunt = inverse.search(Measurement(y, 1.0 / variance), Given(x_a, S_a, np.arange(5)), 12)
    solution = follow(hunt, lambda x: calls.append(x) or dense(K @ x, K))
    assert len(calls) == 1
    np.testing.assert_allclose(solution.x, x_a + gain(K, variance, S_a) @ (y - K @ x_a), rtol=1e-8)
    np.testing.assert_allclose(solution.modelled, K @ solution.x, rtol=1e-8)


def test_what_the_model_says_is_carried_by_its_slopes():
    draw = np.random.default_rng(2)
    F, K, step = draw.normal(size=12), draw.normal(size=(12, 5)), draw.normal(size=5)
    columns = np.array([4, 1])
    said = Modelled(F, [(slice(0, 7), columns, K[:7, columns]), (slice(7, 12), np.arange(5), K[7:])])
    np.testing.assert_allclose(said.carried(step).F, F + said.dense(5) @ step, rtol=1e-10)
    np.testing.assert_array_equal(said.F, F)


def walled(x):
    """Give a line with a wall: beyond 1 the radiance runs away from the line."""
    beyond = np.maximum(x - 1.0, 0.0)
    return x + 30.0 * beyond**2, np.array([1.0 + 60.0 * beyond])


def test_last_step_that_makes_it_worse_is_not_taken():
    """The undamped step crosses into the wall: the search keeps the better state and goes on from there."""
    y, variance, x_a, S_a = np.array([2.0]), np.array([25.0]), np.array([0.999]), np.array([[25.0]])
    asked = []

    def model(x):
        asked.append(x[0])
        return walled(x)

    solution = inverse.solve(model, y, variance, x_a, S_a, 30)
    costs = [cost(walled, y, variance, x_a, S_a, np.array([x])) for x in asked]
    assert max(costs[1:]) > costs[0]  # a step was worse
    assert cost(walled, y, variance, x_a, S_a, solution.x) < min(costs) + inverse.STRAIGHT


def one_number(F: float) -> Modelled:
    return dense(np.array([F]), np.ones((1, 1)))


def begun(gamma: float = 0.5):
    """Start a search for y = 0, 0.13 sigma away: the step from 0 to 0.065 may be the last."""
    hunt = inverse.search(
        Measurement(np.zeros(1), np.ones(1)), Given(np.zeros(1), np.eye(1)), 12, inverse.Way(gamma, 0.05)
    )
    assert next(hunt).x[0] == 0.0
    assert hunt.send(one_number(-0.13)).x[0] == pytest.approx(0.065)  # undamped
    return hunt


def test_last_step_far_off_the_line_is_no_convergence():
    """It is undone and tried again with twice the damping, 0.13/(2 + 1)."""
    hunt = begun()
    assert hunt.send(one_number(-5.0)).x[0] == pytest.approx(0.13 / 3.0)
    with pytest.raises(StopIteration) as end:
        hunt.send(one_number(-0.13 + 0.13 / 3.0))
    assert end.value.value.converged
    assert end.value.value.x[0] == pytest.approx(0.065, abs=1e-3)


@pytest.mark.parametrize(("F", "x"), [(-0.066, 0.0655), (-0.14, 0.0)])
def test_last_step_ends_the_search_where_the_cost_is_kept(F, x):
    """A little better: what is left of the way is gone, too. A little worse: the state before it is given."""
    hunt = begun()
    with pytest.raises(StopIteration) as end:
        hunt.send(one_number(F))
    assert end.value.value.converged
    assert end.value.value.iterations == 1
    assert end.value.value.x[0] == pytest.approx(x, abs=1e-12)


def test_bent_model_whose_last_step_is_worse_still_ends_at_its_minimum():
    """The step that ought to be the last raises the cost by more than a last one may; damped ones go on."""

    def model(x):  # curved at the scale of the step: exp(30 (x - 1)) with its own slope
        e = np.exp(np.minimum(30.0 * (x - 1.0), 200.0))
        return 1e-2 * e, np.array([0.3 * e])

    y, variance, x_a, S_a = np.array([3.0]), np.array([0.1]), np.array([0.95]), np.array([[4.0]])
    solution = inverse.solve(model, y, variance, x_a, S_a, 60)
    expected = optimize.minimize_scalar(
        lambda x: cost(model, y, variance, x_a, S_a, np.array([x])), bounds=(0.9, 1.5), method="bounded",
        options={"xatol": 1e-12},
    ).x  # fmt: skip
    sigma = np.sqrt(inverse.posterior(solution.information, S_a).S_hat[0, 0])
    assert solution.converged
    assert abs(solution.x[0] - expected) < 0.5 * sigma


def saturating(x):
    """Give a model whose full Gauss-Newton step overshoots ever further: arctan far from its root."""
    return np.arctan(x), np.array([[1.0 / (1.0 + x[0] ** 2)]])


@pytest.mark.parametrize(("y", "begin", "sigma", "most"), [(0.0, 5.0, 10.0, 40), (1.45, -3.0, 5.0, 60)])
def test_overshooting_problem_ends_at_its_minimum_or_says_it_did_not(y, begin, sigma, most):
    """Damping makes steps short: that is no convergence. Wide priors, so that data decide."""
    arguments = np.array([y]), np.array([1e-6]), np.array([begin]), np.array([[sigma**2]])
    solution = inverse.solve(saturating, *arguments, max_iterations=most)
    before, after = (cost(saturating, *arguments, x) for x in (np.array([begin]), solution.x))
    assert after <= before
    if not solution.converged:
        return
    x, K = solution.x[0], saturating(solution.x)[1][0, 0]
    newton = (K * (y - np.arctan(x)) / 1e-6 - (x - begin) / sigma**2) / (K**2 / 1e-6 + 1.0 / sigma**2)
    assert newton**2 * (K**2 / 1e-6 + 1.0 / sigma**2) < 1.0  # within one posterior sigma of the minimum


@pytest.mark.parametrize("limit", [1, 2])
def test_iteration_limit_is_no_convergence(limit):
    model, y, variance, x_a, S_a = beer()
    solution = inverse.solve(model, y, variance, x_a, S_a, max_iterations=limit)
    assert not solution.converged
    assert solution.iterations == limit


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_model_without_numbers_beside_the_prior_ends_unconverged_at_the_prior(wrong):
    def broken(x):
        return (np.array([1.0]) if x[0] == 0.0 else np.array([wrong])), np.array([[1.0]])

    solution = inverse.solve(broken, np.array([5.0]), np.array([1.0]), np.zeros(1), np.eye(1), 40)
    assert not solution.converged
    np.testing.assert_array_equal(solution.x, 0.0)


@pytest.mark.filterwarnings("error")
def test_model_without_numbers_at_the_prior_ends_at_once():
    """Parts are left out where no air can be so, as the forward model does."""
    hunt = inverse.search(Measurement(np.ones(3), np.ones(3)), Given(np.zeros(2), np.eye(2)))
    next(hunt)
    with pytest.raises(StopIteration) as end:
        hunt.send(Modelled(np.full(3, np.nan), []))
    assert not end.value.value.converged


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_step_into_the_impossible_is_shortened(fails):
    """Steps that land where the model has no numbers are tried again, closer by."""
    model, y, variance, x_a, S_a = beer()
    calls = []

    def narrow(x):
        calls.append(x)
        F, K = model(x)
        return (np.full_like(F, np.nan), np.full_like(K, np.nan)) if 1 <= len(calls) - 1 <= fails else (F, K)

    solution = inverse.solve(narrow, y, variance, x_a, S_a, 30)
    expected = least_squares(model, y, variance, x_a, S_a)
    sigma = np.sqrt(np.diag(inverse.posterior(solution.information, S_a).S_hat))
    assert solution.converged
    assert np.all(np.abs(solution.x - expected) < 0.1 * sigma)


@pytest.mark.parametrize("variance", [1.0, 1e4])
def test_model_that_grows_where_its_jacobian_falls_ends_unconverged(variance):
    """A Jacobian of the wrong sign: every step raises the cost, none is taken, short or long."""
    solution = inverse.solve(
        lambda x: (x**3 + 10.0 * x, np.array([[-10.0]])),
        np.array([100.0]), np.array([variance]), np.array([1.0]), np.array([[1e4]]), 30,
    )  # fmt: skip
    assert not solution.converged
    assert solution.x[0] == 1.0


def bright_and_thick(x):
    """Give light of brightness x[0] through a depth of x[1] times a line, and K."""
    through = np.exp(-x[1] * LINE)
    return x[0] * through, np.stack([through, -x[0] * LINE * through], axis=1)


def test_slopes_of_what_absorbs_go_with_the_brightness_found():
    """One call at a third of the brightness: K by depth is that at the brightness the same call tells."""
    truth, guess = np.array([3.0, 0.5]), np.array([1.0, 0.5])
    y, K = bright_and_thick(truth)
    variance, S_a = np.full(y.size, 1e-6), np.diag([100.0, 0.01])
    ends = []
    for absorbing in ([], [1]):
        problem = Given(guess, S_a, np.array([0]), np.array(absorbing, int))
        hunt = inverse.search(Measurement(y, 1.0 / variance), problem, 12)
        ends.append(follow(hunt, lambda x: dense(*bright_and_thick(x)), asked := []))
        assert len(asked) == 1
    np.testing.assert_allclose(ends[1].information, K.T @ K * 1e6, rtol=1e-6)
    assert 9.0 * ends[0].information[1, 1] == pytest.approx(ends[1].information[1, 1], rel=1e-6)
    np.testing.assert_allclose(ends[1].x, truth, rtol=1e-6)


@pytest.mark.parametrize(("far", "calls"), [(0.03, [True, False]), (0.6, [True, False, True])])
def test_a_step_is_the_last_if_the_same_slopes_leave_little_of_it(far, calls):
    """Near by two calls are enough; further away the share left is too large, and K is asked for again."""
    model, _, variance, x_a, S_a = beer()
    y, asked = model(x_a + np.array([far, -far, 0.0]))[0], []
    hunt = inverse.search(Measurement(y, 1.0 / variance), Given(x_a, S_a), 30, inverse.Way(0.0, 1e6))
    solution = follow(hunt, lambda x: dense(*model(x)), asked)
    assert solution.converged
    assert asked[:3] == calls
    sigma = np.sqrt(np.diag(inverse.posterior(solution.information, S_a).S_hat))
    assert np.all(np.abs(solution.x - least_squares(model, y, variance, x_a, S_a)) < 0.1 * sigma)
