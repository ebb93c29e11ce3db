"""Every column of the L2 Jacobian against central differences of the forward model."""

from __future__ import annotations

import numpy as np
import pytest

of_the_maximum = 1e-4  # agreement asked of every column and band
rounding = 1e-13  # of the radiance, in one evaluation
STEP = {"dispersion": 3e-3, "psurf": 1e-2}  # in units of the prior sigma; else 1e-3

CASES = [
    # glint, sza, vza, raa, psurf: layer edges lie at 635, 950 and 1000 hPa
    (False, 0.0, 0.0, 0.0, 1013.0),
    (False, 45.0, 30.0, 60.0, 999.9),
    (False, 75.0, 60.0, 150.0, 1000.1),
    (False, 50.0, 20.0, 100.0, 600.0),
    (True, 30.0, 30.0, 180.0, 1049.0),
    (True, 60.0, 55.0, 175.0, 950.05),
]


def off_the_prior(model, seed: int = 3) -> np.ndarray:
    """Move every element by a tenth of its prior sigma; psurf stays, plants shine at their brightest."""
    sv = model.state
    x = sv.x_a + 0.1 * np.sqrt(np.diag(sv.S_a)) * np.random.default_rng(seed).normal(size=sv.x_a.size)
    x[sv["psurf"]] = sv.x_a[sv["psurf"]]
    if "sif" in sv:
        x[sv["sif"]] = 2.0
    return x


def freeze_diffuse_light(model, x: np.ndarray) -> None:
    """Hold the diffuse light at its value in x: the part that the Jacobian leaves out by design."""
    original, kept = model._diffuse_light, {}

    def recording(b, *arguments):
        kept[b] = original(b, *arguments)
        return kept[b]

    model._diffuse_light = recording
    model(x)
    model._diffuse_light = lambda b, *arguments: kept[b]


def without_layer_columns(model) -> None:
    """Spare the costly columns where only the radiance is wanted."""
    model._layer_jacobian = lambda *_: ([], np.zeros((0, 2), np.int64), np.zeros((0, 6)))


def names(state) -> list[str]:
    return [block.name for block in state.blocks for _ in block.prior]


def central_difference(model, x: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Differentiate F (band, spectel) by element k; also return the step."""
    name = names(model.state)[k]
    step = STEP.get(name.split("_")[0], 1e-3) * np.sqrt(model.state.S_a[k, k])
    aside = np.zeros_like(x)
    aside[k] = step
    return ((model(x + aside)[0] - model(x - aside)[0]) / (2 * step)).reshape(4, -1), step


@pytest.mark.parametrize(("glint", "sza", "vza", "raa", "psurf"), CASES)
def test_every_column_is_a_derivative(narrow, l2_kit, glint, sza, vza, raa, psurf):
    model = narrow.model(l2_kit.Case(glint, sza, vza, raa, psurf, (0.43, 0.19, 0.1, 0.37)))
    x = off_the_prior(model)
    freeze_diffuse_light(model, x)
    F, K = model(x)
    F, K = F.reshape(4, -1), K.reshape(4, 1024, -1)
    without_layer_columns(model)
    for k, name in enumerate(names(model.state)):
        difference, step = central_difference(model, x, k)
        for b in range(4):
            largest = max(np.abs(K[b, :, k]).max(), np.abs(difference[b]).max())
            allowed = of_the_maximum * largest + rounding * F[b].max() / step
            error = np.abs(K[b, :, k] - difference[b]).max()
            assert error <= allowed, (name, k, b, error / largest)


def test_no_column_is_empty_where_physics_puts_something(narrow, l2_kit):
    """Own gas, pressure, temperature, water and own surface in every band; nothing of a neighbour's."""
    for glint in (False, True):
        model = narrow.model(l2_kit.Case(glint, 40.0, 40.0, 180.0))
        K = model(off_the_prior(model))[1].reshape(4, 1024, -1)
        sv = model.state
        filled = {b: {k for k in range(K.shape[2]) if K[b, :, k].any()} for b in range(4)}
        for b, gas in enumerate(("O2", "CO2", "CO2", "O2")):
            expected = {"psurf", "temperature", "h2o", f"surface_{b}", f"dispersion_{b}"}
            expected |= {"co2"} if gas == "CO2" else set()
            expected |= {"airglow"} if b == 3 else set()
            expected |= {"wind"} if glint else set()
            expected |= {"sif"} if b == 0 and not glint else set()
            assert filled[b] == {k for k, name in enumerate(names(sv)) if name in expected}


@pytest.mark.parametrize("offset_hpa", [-5e-4, 0.0, 5e-4])
def test_surface_pressure_on_a_layer_edge(narrow, l2_kit, offset_hpa):
    """On and beside an edge the derivative is that of a side, whose slopes differ a little."""
    one_percent = 0.01  # half of it is the kink
    model = narrow.model(l2_kit.Case(psurf=1000.0 + offset_hpa))
    x = model.state.x_a.copy()
    k = model.state["psurf"].start
    freeze_diffuse_light(model, x)
    F, K = model(x)
    for side in (0.05, -0.05):
        aside = x.copy()
        aside[k] += side
        difference = (model(aside)[0] - F) / side
        error = np.abs(K[:, k] - difference).reshape(4, -1).max(axis=1)
        assert np.all(error < one_percent * np.abs(difference).reshape(4, -1).max(axis=1))


@pytest.mark.parametrize(("glint", "most"), [(False, 0.20), (True, 0.02)])
def test_derivative_of_diffuse_light_left_out_stays_small(narrow, l2_kit, glint, most):
    """What the Jacobian neglects, as a fraction of the psurf column's maximum in each band."""
    raa = 180.0 if glint else 60.0
    model = narrow.model(l2_kit.Case(glint, 50.0, 45.0, raa, 1013.0, (0.43, 0.37, 0.19, 0.05)))
    x, k = model.state.x_a.copy(), model.state["psurf"].start
    K = model(x)[1].reshape(4, 1024, -1)[:, :, k]
    ends = []
    for side in (0.1, -0.1):
        aside = x.copy()
        aside[k] += side
        model.calls = 0  # fits the diffuse light again
        ends.append(model(aside)[0].reshape(4, -1))
    full = (ends[0] - ends[1]) / 0.2
    neglected = np.abs(full - K).max(axis=1) / np.abs(full).max(axis=1)
    assert np.all(neglected < most)
    assert neglected.max() > 1e-5  # else the derivative is there and the limit above should go
