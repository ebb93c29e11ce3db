"""The choice of the nodes at which light is scattered."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from processors.l2 import design
from processors.l2.inverse import posterior
from processors.l2.state import Options


def fit_error(functions: np.ndarray, light: np.ndarray, chosen: list[int]) -> float:
    """Return what a fit at some points errs by over all of them (squared, mean), and its rounding."""
    Q, d = design._misfit(functions, light)
    c = np.linalg.lstsq(Q[chosen], d[chosen], rcond=None)[0]
    inverse = np.linalg.pinv(Q[chosen].T @ Q[chosen])
    return float(c @ c + design.UNFORESEEN**2 * np.trace(inverse))


@pytest.fixture
def trained() -> list[tuple[np.ndarray, np.ndarray]]:
    """Light of two airs at 12 candidates that two functions nearly carry."""
    x, rng = np.linspace(0.1, 3.0, 12), np.random.default_rng(5)
    airs = []
    for slant in (2.0, 2.6):
        functions = np.exp(-np.outer([slant, 0.4 * slant], x))
        airs.append((functions, np.array([0.7, 0.2]) @ functions + 1e-3 * rng.normal(size=x.size)))
    return airs


def test_exchange_comes_near_the_best_of_all_choices(trained):
    """Of 495 choices of four points its error is among the least."""
    one_percent = 0.01
    costs = [
        sum(fit_error(*air, list(some)) for air in trained) for some in itertools.combinations(range(12), 4)
    ]
    found = design.exchange(trained, 4)
    assert len(set(found.tolist())) == 4
    own = sum(fit_error(*air, found.tolist()) for air in trained)
    assert np.mean(np.array(costs) < own * (1.0 - 1e-9)) < one_percent


def test_nodes_do_not_hang_on_what_land_is_taken_for(narrow, l2_kit):
    """Jobs with and without `brdf` share a folder."""
    model = narrow.aux.models(l2_kit.CLEAR)[1]
    every = replace(model, nodes=replace(model.nodes, **_candidates(model)))
    with_it, without = (design.choose(every, Options(particles=(), brdf=wanted)) for wanted in (True, False))
    np.testing.assert_array_equal(with_it, without)


def _candidates(model) -> dict:
    index = design.candidates(model.points)
    tables = (np.ascontiguousarray(table[:, :, index]) for table in (model.gas, model.h2o))
    return dict(zip(("gas", "h2o"), tables, strict=True)) | {
        "index": index,
        "coordinate": model.coordinate[index].astype(float),
    }


def test_cost_with_one_more_point_is_that_of_the_fit(trained):
    Q, d = design._misfit(*trained[0])
    others = [0, 4, 9]
    quick = design._with_one_more(Q, d, others)
    for n in set(range(12)) - set(others):
        assert quick[n] == pytest.approx(fit_error(*trained[0], [*others, n]), rel=1e-6)


def test_choices_are_kept_in_a_folder(narrow, l2_kit, tmp_path, monkeypatch):
    """A second program reads them; a file cut short is written anew; other particles and bands have their
    own."""
    model, other, *_ = narrow.aux.models(l2_kit.CLEAR)
    monkeypatch.setattr(design, "_KNOWN", {})
    monkeypatch.setattr(design, "choose", lambda model, options: np.array([len([*tmp_path.iterdir()])]))
    first = design.kept(model, Options(particles=()), tmp_path)
    [path] = tmp_path.iterdir()
    design._KNOWN.clear()
    assert np.array_equal(design.kept(model, Options(particles=()), tmp_path), first)
    path.write_bytes(path.read_bytes()[:-4])
    design._KNOWN.clear()
    assert design.kept(model, Options(particles=()), tmp_path)[0] == 1
    design.kept(model, Options(), tmp_path)
    design.kept(other, Options(particles=()), tmp_path)
    assert len([*tmp_path.iterdir()]) == 3
    assert design.kept(model, l2_kit.CLEAR, tmp_path / "none")[0] == 1  # known; and no folder is no error
    design._KNOWN.clear()
    monkeypatch.setattr(design, "choose", lambda model, options: np.array([7]))
    assert design.kept(model, l2_kit.CLEAR, tmp_path / "none")[0] == 7


@pytest.mark.parametrize(
    ("options", "allowed_ppm"), [(Options(particles=()), 0.005), (Options(), 0.02)], ids=["clear", "full"]
)
@pytest.mark.parametrize(("glint", "sza"), [(False, 30.0), (False, 50.0), (True, 35.0), (True, 60.0)])
def test_nodes_stand_for_all_candidates(whole, l2_kit, monkeypatch, glint, sza, options, allowed_ppm):
    """Light fitted at the nodes instead of every fifth point of the bands: XCO2 by a linear estimate, and its
    sigma, which K makes. Nodes by pivoted QR erred by up to 0.017 and 0.10 ppm here."""
    two_per_mille = 2e-3
    case = l2_kit.Case(glint, sza, sza if glint else 5.0, 180.0 if glint else 60.0)
    model = whole.model(case, options)
    with monkeypatch.context() as patch:
        patch.setattr(design, "kept", lambda model, options, folder: model.nodes.index)
        everywhere = replace(whole, aux=whole.fresh()).model(case, options)
    sv = model.state
    few, many = (m([0], [sv.x_a])[0] for m in (model, everywhere))
    precision = 1.0 / l2_kit.noise(many.F.reshape(4, -1)).ravel() ** 2
    h = np.zeros(sv.x_a.size)
    h[sv["co2"]] = 1.0 / 20.0
    sigma = {}
    for said in (many, few):
        K = said.dense(sv.x_a.size)
        S_hat = posterior((K.T * precision) @ K, sv.S_a).S_hat
        sigma[said is few] = np.sqrt(h @ S_hat @ h)
        dx = S_hat @ ((K.T * precision) @ (few.F - many.F))
        assert abs(h @ dx) < allowed_ppm
    assert sigma[True] == pytest.approx(sigma[False], rel=two_per_mille)
