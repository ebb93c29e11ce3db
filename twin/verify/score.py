"""Turn the files of a run into verdict.json: figures, requirements, mismatch row, accounts, provenance."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from twin.scenario import Scenario
from twin.verify import accounts, join, measures, nature, origin, packets, requirements, trials
from twin.verify.figures import FIGURES
from twin.verify.notes import METHODS, not_in_the_figure
from twin.verify.statistics import mean, mean_interval, scatter

MISMATCH_PPM_PER_SHARE = (
    2.7 / 0.007
)  # ppm XCO2 per relative change of CO2 intensity, linear, albedo 0.2, SZA 45
Verdict = dict[str, Any]


def score(run_dir: Path, scenario: Scenario) -> Verdict:
    """Judge a finished run and write verdict.json; BadInput for a requirement on an unknown figure."""
    requirements.check(scenario.requirements)
    soundings = join.load(run_dir, run_dir / "truth.nc")
    other = _other(run_dir)
    account = packets.account(run_dir)
    faults = trials.judge(run_dir, scenario)
    stages = accounts.stages(run_dir / "ledger.sqlite")
    rows = len(soundings.l2["xco2"]) + (len(other.l2["xco2"]) if other else 0)
    mismatch = compare(soundings, other, scenario.mismatch.co2_intensity) if other else None
    figures = {
        **measures.census(soundings),
        **measures.errors(soundings),
        **measures.kept(soundings),
        **measures.anomaly(soundings),
        **measures.fit(soundings),
        **measures.placement(soundings),
        **accounts.packet_figures(account.table),
        **trials.figures(faults),
        **_operations(run_dir),
        "mismatch_difference_ppm": mismatch["difference_mean_ppm"] if mismatch else math.nan,
        **accounts.speed_figures(stages, rows),
    }
    finite = _plain({name: figures[name] for name in FIGURES})
    judged = requirements.evaluate(scenario.requirements, finite)
    verdict = {
        "scenario": scenario.name,
        "question": scenario.question,
        "seed": scenario.seed,
        "holds": all(row["holds"] for row in judged),
        "requirements": judged,
        "mission": requirements.beside_mission(finite),
        "figures": finite,
        "mismatch": _plain(mismatch) if mismatch else None,
        "nature": nature.layers(scenario.truth),
        "settings": {step: dict(told) for step, told in scenario.settings.items() if told},
        "quality": measures.reasons(soundings),
        "packets": account.table,
        "packet_reasons": dict(account.reasons),
        "faults": faults,
        "stages": stages,
        "not_in_the_figure": not_in_the_figure(scenario),
        "methods": METHODS,
        "provenance": origin.trace(run_dir),
    }
    _write(run_dir / "verdict.json", verdict)
    return verdict


def _operations(run_dir: Path) -> dict[str, Any]:
    """Read latency, backlog and memory as the ground stage measured them; NaN for what it could not."""
    told = json.loads((run_dir / "operations.json").read_text(encoding="utf-8"))["figures"]
    return {name: math.nan if value is None else value for name, value in told.items()}


def _other(run_dir: Path) -> join.Soundings | None:
    """Load the soundings under other CO2 line intensities, when the run made them."""
    root = run_dir / "mismatch"
    return join.load(root, run_dir / "truth.nc") if (root / "geometry.nc").exists() else None


def compare(soundings: join.Soundings, other: join.Soundings, intensity: float) -> dict[str, Any]:
    """Pair the soundings under other CO2 line intensities with the run's own: same scenes, same noise."""
    rows, places = join.match(soundings.l2["sounding_id"], other.l2["sounding_id"])
    both = soundings.counted[places] & other.counted[rows]
    difference = other.l2["xco2"][rows[both]] - soundings.l2["xco2"][places[both]]
    change = mean_interval(difference, soundings.block[places[both]])
    return {
        "co2_intensity": intensity,
        "pairs": int(both.sum()),
        "difference_mean_ppm": change.estimate,
        "difference_low_ppm": change.low,
        "difference_high_ppm": change.high,
        "difference_scatter_ppm": scatter(difference),
        "difference_linear_ppm": MISMATCH_PPM_PER_SHARE * intensity,
        "error_mean_ppm": mean(other.error_ppm[rows[both]]),
        "own_error_mean_ppm": mean(soundings.error_ppm[places[both]]),
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Turn what is not finite into null, which JSON knows."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else _number(value)
        for name, value in values.items()
    }


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _write(path: Path, verdict: Verdict) -> None:
    """Write to a temporary neighbour, then rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(verdict, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)
