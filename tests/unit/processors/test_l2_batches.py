"""Many soundings at once through L2: what one gives does not hang on its company."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from processors.l2.auxiliary import Auxiliary
from processors.l2.retrieval import BATCH, CONVERGED, NOT_ATTEMPTED, options_of, retrieve
from processors.l2.step import DEFAULTS

MODES = {mode: {**DEFAULTS, "mode": mode, "prescreen": False} for mode in ("clear", "full")}
PLACES = ((30.0, 1013.0, 0.0), (45.0, 850.0, 60.0), (60.0, 1008.05, 120.0), (72.0, 700.0, 90.0))
TIMES = 9  # that each sounding is there in the longest list


def unused(aux: Auxiliary) -> Auxiliary:
    """Give auxiliary data that no sounding has left a trace in."""
    return Auxiliary(**{f.name: getattr(aux, f.name) for f in fields(aux) if not f.name.startswith("_")})


def all_kinds(ground, l2_kit, options) -> list[tuple[dict, dict]]:
    """Give land, sea, other wavelengths, night, holes, garbage, a wrong forecast, a band that is missing."""
    cases = [l2_kit.Case(sza=sza, psurf=psurf, raa=raa) for sza, psurf, raa in PLACES]
    cases += [l2_kit.Case(True, 40.0, 40.0, 180.0, psurf) for psurf in (1000.0, 1020.0)]
    pairs = [(ground.measured(c, n, options=options), l2_kit.forecast(c)) for n, c in enumerate(cases)]
    sounding, forecast = pairs[1]
    light, holes, lost = (sounding[k].copy() for k in ("radiance", "spectel_quality", "spectel_quality"))
    holes[3, 200:300], lost[2] = 1, 2
    changes = (
        {"wavelength": sounding["wavelength"] + 2e-4},
        {"sensor_recession_speed": -3000.0, "fov": 1},
        {"solar_zenith_angle": 95.0},
        {"radiance": np.full(light.shape, np.nan)},
        {"spectel_quality": holes},
        {"radiance": light.max() * np.random.default_rng(2).uniform(0.01, 1.0, light.shape)},
        {"radiance": light[:, ::-1].copy()},
        {"spectel_quality": lost},
    )
    pairs += [({**sounding, **change}, forecast) for change in changes]
    return [*pairs, (sounding, l2_kit.forecast(l2_kit.Case(psurf=870.0)))]


@pytest.mark.parametrize("mode", MODES)
def test_a_sounding_s_bits_do_not_hang_on_its_company(narrow, l2_kit, mode):
    """Alone, in a batch, in another order, in more than one batch, among ones that fail: the same bits."""
    settings = MODES[mode]
    pairs = all_kinds(narrow, l2_kit, options_of(settings))
    alone = [retrieve([pair], unused(narrow.aux), settings)[0] for pair in pairs]
    outcomes = [row["outcome_flag"] for row in alone]
    assert outcomes.count(CONVERGED) >= len(PLACES) + 2
    assert outcomes.count(NOT_ATTEMPTED) == 3
    assert set(outcomes) - {CONVERGED, NOT_ATTEMPTED}  # some fail on the way
    mixed = np.random.default_rng(5).permutation(TIMES * len(pairs)) % len(pairs)
    assert mixed.size > 4 * BATCH
    for order in (np.arange(len(pairs)), np.arange(len(pairs))[::-1], mixed):
        together = retrieve([pairs[n] for n in order], unused(narrow.aux), settings)
        for n, row in zip(order, together, strict=True):
            assert set(row) == set(alone[n])
            for name, value in row.items():
                np.testing.assert_array_equal(value, alone[n][name], err_msg=f"{n} {name}")


def test_no_soundings_give_no_rows(narrow):
    assert retrieve([], narrow.aux, MODES["full"]) == []
