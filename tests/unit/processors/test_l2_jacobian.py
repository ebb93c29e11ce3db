"""Every column of the L2 Jacobian against central differences, and single against double precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from processors.l2.inverse import Measurement, search
from processors.l2.state import Options

of_the_maximum = 1e-4  # agreement asked of every column and band
of_the_continuum = 1e-5  # of radiance
jumps = 2e-10  # of the radiance, where scattering.means passes from its series to the closed form
# Steps in units of the prior sigma, else 1e-3; of dispersion 2e-6 nm, inside one expansion of the response
STEP = {"psurf": 1e-2, "dispersion": 4e-4, "height": 5e-3}
FULL = Options(isrf_width=(0, 1, 2, 3), zero_level=(0, 1, 2, 3))
CLEAR = Options(particles=(), isrf_width=(0, 2), zero_level=(1, 3))
OPTIONS = {"full": FULL, "clear": CLEAR, "scale of B2 alone": replace(CLEAR, dispersion=(1,))}
DEPTHS = (0.1, 0.05, 0.01)  # of fine and coarse particles and of ice
ALBEDO = (0.43, 0.19, 0.1, 0.37)

CASES = [
    # glint, sza, vza, raa, psurf: layer edges lie at 583, 633, 933 and 1008 hPa
    (False, 0.0, 0.0, 0.0, 1013.0),
    (False, 45.0, 30.0, 60.0, 932.9),
    (False, 75.0, 60.0, 150.0, 933.1),
    (False, 50.0, 20.0, 100.0, 600.0),
    (True, 30.0, 30.0, 180.0, 1049.0),
    (True, 60.0, 55.0, 175.0, 1008.05),
    (True, 75.0, 60.0, 178.0, 1013.0),
    (True, 0.0, 0.0, 180.0, 1020.0),
]
SWEEP = [
    (glint, sza, vza)
    for glint in (False, True)
    for sza in (0.0, 30.0, 60.0, 75.0)
    for vza in (0.0, 30.0, 60.0)
]


def off_the_prior(sv, seed: int = 3) -> np.ndarray:
    """Move every element by a tenth of its prior sigma; psurf stays, plants shine at their brightest."""
    x = sv.x_a + 0.1 * np.sqrt(np.diag(sv.S_a)) * np.random.default_rng(seed).normal(size=sv.x_a.size)
    x[sv["psurf"]] = sv.x_a[sv["psurf"]]
    if "sif" in sv:
        x[sv["sif"]] = 2.0
    if "depth" in sv:
        x[sv["depth"]] = DEPTHS
    return x


def seen(model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F (band, spectel) and K (band, spectel, state) of the model's only sounding."""
    said = model([0], [x])[0]
    return said.F.reshape(4, 1024), said.dense(x.size).reshape(4, 1024, -1)


def names(state) -> list[str]:
    return [block.name for block in state.blocks for _ in block.prior]


def central_difference(model, x: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Differentiate F (band, spectel) by element k; also return the step."""
    name = names(model.state)[k]
    step = STEP.get(name.split("_")[0], 1e-3) * np.sqrt(model.state.S_a[k, k])
    aside = np.zeros_like(x)
    aside[k] = step
    high, low = model([0, 0], [x + aside, x - aside])
    return ((high.F - low.F) / (2 * step)).reshape(4, -1), step


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize(("glint", "sza", "vza", "raa", "psurf"), CASES)
def test_every_column_is_a_derivative(narrow, l2_kit, kind, glint, sza, vza, raa, psurf):
    case = l2_kit.Case(glint, sza, vza, raa, psurf, ALBEDO)
    model = narrow.model(case, OPTIONS[kind], np.float64)
    x = off_the_prior(model.state)
    F, K = seen(model, x)
    for k, name in enumerate(names(model.state)):
        difference, step = central_difference(model, x, k)
        for b in range(4):
            largest = max(np.abs(K[b, :, k]).max(), np.abs(difference[b]).max())
            allowed = of_the_maximum * largest + jumps * F[b].max() / step
            error = np.abs(K[b, :, k] - difference[b]).max()
            assert error <= allowed, (name, k, b, error / largest)


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("glint", [False, True])
def test_no_column_is_empty_where_physics_puts_something(narrow, l2_kit, glint, kind):
    """Own gas, air, particles and own surface in every band; nothing of a neighbour's."""
    options = OPTIONS[kind]
    model = narrow.model(l2_kit.Case(glint, 40.0, 40.0, 180.0), options, np.float64)
    _, K = seen(model, off_the_prior(model.state))
    for b, gas in enumerate(("O2", "CO2", "CO2", "O2")):
        expected = {"psurf", "temperature", "h2o", f"surface_{b}"}
        expected |= {f"dispersion_{b}"} if b in options.dispersion else set()
        expected |= {"co2"} if gas == "CO2" else set()
        expected |= {"depth", "height"} if options.particles else set()
        expected |= {f"isrf_width_{b}"} if b in options.isrf_width else set()
        expected |= {f"zero_level_{b}"} if b in options.zero_level else set()
        expected |= {"airglow"} if b == 3 else set()
        expected |= {"ln_wind"} if glint else set()
        expected |= {"sif"} if b == 0 and not glint else set()
        expected |= set() if glint else {"shape"}
        filled = {k for k in range(K.shape[2]) if K[b, :, k].any()}
        assert filled == {k for k, name in enumerate(names(model.state)) if name in expected}


@pytest.mark.parametrize("offset_hpa", [-5e-4, 0.0, 5e-4])
def test_surface_pressure_on_a_layer_edge(narrow, l2_kit, offset_hpa):
    """On and beside an edge the derivative is that of a side, whose slopes differ a little."""
    one_percent = 0.01  # half of it is the kink
    model = narrow.model(l2_kit.Case(psurf=1008.0 + offset_hpa), FULL, np.float64)
    x = model.state.x_a.copy()
    k = model.state["psurf"].start
    F, K = seen(model, x)
    for side in (0.05, -0.05):
        aside = x.copy()
        aside[k] += side
        difference = (seen(model, aside)[0] - F) / side
        error = np.abs(K[:, :, k] - difference).max(axis=1)
        assert np.all(error < one_percent * np.abs(difference).max(axis=1))


@pytest.mark.parametrize("glint", [False, True])
def test_light_goes_on_smoothly_below_no_particles(narrow, l2_kit, glint):
    """Radiance and slope are the same on both sides of depth 0, which noise may cross."""
    bend = 5e-4  # of the slope, over a step of 1e-5
    model = narrow.model(l2_kit.Case(glint, 50.0, 40.0, 170.0, albedo=ALBEDO), FULL, np.float64)
    x, own = off_the_prior(model.state), model.state["depth"]
    x[own] = 0.0
    F, K = seen(model, x)
    for k in range(own.start, own.stop):
        largest = np.abs(K[:, :, k]).max(axis=1)
        assert np.all(largest > 1e-2 * F.max(axis=1))
        for step in (1e-5, -1e-5):
            aside = x.copy()
            aside[k] += step
            difference = (seen(model, aside)[0] - F) / step
            assert np.all(np.abs(difference - K[:, :, k]).max(axis=1) < bend * largest)


@pytest.mark.parametrize("glint", [False, True])
def test_every_column_is_a_derivative_below_no_particles(narrow, l2_kit, glint):
    model = narrow.model(l2_kit.Case(glint, 50.0, 40.0, 170.0, albedo=ALBEDO), FULL, np.float64)
    x = off_the_prior(model.state)
    x[model.state["depth"]] = [-0.012, 0.05, -0.002]
    F, K = seen(model, x)
    for k, name in enumerate(names(model.state)):
        difference, step = central_difference(model, x, k)
        largest = np.maximum(np.abs(K[:, :, k]), np.abs(difference)).max(axis=1)
        allowed = of_the_maximum * largest + jumps * F.max(axis=1) / step
        assert np.all(np.abs(K[:, :, k] - difference).max(axis=1) <= allowed), name


def test_states_move_as_far_as_an_expansion_of_the_response_is_kept(narrow, l2_kit):
    """A state seen by the expansion of another, nearly as far as it holds, and by its own."""
    hardly = {"dispersion": 1e-2, "isrf": 3e-2}  # of the column; light and the other columns 1e-5 and 1e-4
    model, fresh = (narrow.model(l2_kit.Case(), CLEAR, np.float64) for _ in range(2))
    x = model.state.x_a.copy()
    seen(model, x)
    for b, fwhm_nm in enumerate((0.0299, 0.0623, 0.0787, 0.0492)):
        x[model.state[f"dispersion_{b}"].start] += 0.0095 * fwhm_nm
    for b in CLEAR.isrf_width:
        x[model.state[f"isrf_width_{b}"]] = 1.9e-3
    (F, K), (F_fresh, K_fresh) = seen(model, x), seen(fresh, x)
    assert np.all(np.abs(F - F_fresh).max(axis=1) < of_the_continuum * F.max(axis=1))
    assert np.all(np.abs(F - F_fresh).max(axis=1) > 0.0)
    for k, name in enumerate(names(model.state)):
        allowed = hardly.get(name.split("_")[0], of_the_maximum)
        error, largest = np.abs(K[:, :, k] - K_fresh[:, :, k]).max(axis=1), np.abs(K[:, :, k]).max(axis=1)
        assert np.all(error <= allowed * largest), (name, error, largest)


@pytest.mark.parametrize("kind", ["full", "clear"])
@pytest.mark.parametrize(("glint", "sza", "vza"), SWEEP)
def test_single_precision_follows_double(narrow, l2_kit, glint, sza, vza, kind):
    """Radiance and columns; the fit of many functions at the nodes makes more of rounding in some columns.

    Off the specular direction the sea shows scattered light alone, then also in air.
    """
    of_a_column, of_light_by_prior = {"clear": 3e-4, "full": 1e-3}[kind], 2e-5
    case = l2_kit.Case(glint, sza, vza, 180.0 if glint else 60.0, albedo=ALBEDO)
    single, double = (narrow.model(case, OPTIONS[kind], number) for number in (np.float32, np.float64))
    x = off_the_prior(double.state)
    (F, K), (F_double, K_double) = seen(single, x), seen(double, x)
    error = np.abs(F - F_double).max(axis=1) / F_double.max(axis=1)
    assert np.all(error < of_the_continuum), error
    largest, error = np.abs(K_double).max(axis=1), np.abs(K - K_double).max(axis=1)
    relative = error / np.where(largest > 0.0, largest, 1.0)
    assert relative.max() < of_a_column, names(double.state)[relative.max(axis=0).argmax()]
    by_prior = error * np.sqrt(np.diag(double.state.S_a)) / F_double.max(axis=1)[:, None]
    assert by_prior.max() < of_light_by_prior, names(double.state)[by_prior.max(axis=0).argmax()]


def test_soundings_of_a_batch_do_not_see_each_other(narrow, l2_kit):
    """Each of three soundings gives the same numbers alone and together, whatever the order."""
    cases = [
        l2_kit.Case(sza=sza, psurf=psurf) for sza, psurf in ((20.0, 1013.0), (60.0, 700.0), (70.0, 940.0))
    ]
    alone = [narrow.model(case, FULL) for case in cases]
    together = type(alone[0])([m.setups[0] for m in alone], narrow.aux.models(FULL), FULL)
    x = [off_the_prior(m.state, seed) for seed, m in enumerate(alone)]
    order = [2, 0, 1]
    for n, said in zip(order, together(order, [x[n] for n in order]), strict=True):
        expected = alone[n]([0], [x[n]])[0]
        np.testing.assert_array_equal(said.F, expected.F)
        np.testing.assert_array_equal(said.dense(x[n].size), expected.dense(x[n].size))


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("glint", [False, True])
def test_light_is_the_same_without_slopes(narrow, l2_kit, glint, kind):
    """Asked for F alone, the model gives F alone, the same but for rounding; beside one asked for both."""
    case = l2_kit.Case(glint, 40.0, 30.0, 180.0 if glint else 60.0)
    model = narrow.model(case, OPTIONS[kind], np.float64)
    x = off_the_prior(model.state)
    if "depth" in model.state:
        x[model.state["depth"]] = [0.05, -0.02, 0.01]
    alone, both = model([0, 0], [x, x], [False, True])
    assert not alone.parts
    assert both.parts
    np.testing.assert_allclose(alone.F, both.F, rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_search_leaves_the_model_s_columns_as_they_are(narrow, l2_kit, kind):
    """What is said of a state can be asked for again: surface and brightness are fitted on copies."""
    model = narrow.model(l2_kit.Case(), CLEAR, kind)
    said = model([0], [model.state.x_a])[0]
    before = said.dense(model.state.x_a.size)
    hunt = search(
        Measurement(1.3 * said.F, 1.0 / l2_kit.noise(said.F.reshape(4, -1)).ravel() ** 2), model.state
    )
    next(hunt)
    hunt.send(said)
    np.testing.assert_array_equal(said.dense(model.state.x_a.size), before)
