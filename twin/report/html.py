"""Turn a judged run into report.html, one file that needs no network, and PNG figures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2

from twin.report import charts, maps, operations, pictures, timeline
from twin.report.material import Material, gather
from twin.report.parts import Chart
from twin.timecodes import DAY_US
from twin.verify.figures import FIGURES

TEMPLATE = "report.html"


def write(run_dir: Path) -> Path:
    """Read verdict.json and the products of a run; write figures/*.png and report.html."""
    material = gather(run_dir)
    pictures.write(material, run_dir / "figures")
    text = render(material)
    target = run_dir / "report.html"
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, target)
    return target


def render(material: Material) -> str:
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment.get_template(TEMPLATE).render(
        verdict=material.verdict,
        figures=material.verdict["figures"],
        names=FIGURES,
        sentence=sentence(material.verdict),
        spectrum=material.spectrum,
        bands=charts.BANDS,
        days=(plan.end_us - plan.start_us) / DAY_US if (plan := material.mission) else 0.0,
        charts={name: _json(draw()) for name, draw in drawings(material).items()},
        plotly=get_plotlyjs(),
    )


def drawings(material: Material) -> dict[str, Callable[[], Chart]]:
    """List the charts this run has data for, by the name of their place in the page."""
    shown = material.spectrum
    listed: dict[str, Callable[[], Chart]] = {"world": lambda: maps.world(material)}
    if material.soundings.l2["xco2"].size:
        listed["truth"] = lambda: maps.truth(material)
    if material.soundings.counted.any():
        listed |= {
            "map": lambda: maps.ground(material),
            "track": lambda: charts.along_track(material),
            "histogram": lambda: charts.histogram(material),
            "kernels": lambda: charts.kernels(material),
        }
    if shown is not None:
        listed |= {f"band{n}": lambda n=n: charts.spectrum(material, n) for n in range(4)}  # type: ignore[misc]
        listed["profile"] = lambda: charts.profile(material, shown.row)
    if material.mission:
        plan = material.mission
        listed["timeline"] = lambda: operations.day(
            material.events, plan.start_us, min(plan.end_us, plan.start_us + DAY_US)
        )
        listed["track_by_mode"] = lambda: maps.by_mode(material)
    elif len(material.events):
        listed["timeline"] = lambda: timeline.timeline(material.events)
    if material.products.latency_us.size:
        listed["latencies"] = lambda: operations.latencies(material.products)
        listed["queue"] = lambda: operations.queue(material.products)
    if material.verdict["stages"]:
        listed["stages"] = lambda: charts.stage_times(material)
    return listed


def sentence(verdict: dict[str, Any]) -> str:
    """Say the outcome in one or two sentences."""
    rows, figures = verdict["requirements"], verdict["figures"]
    failed = [row["figure"] for row in rows if not row["holds"]]
    outcome = f"{len(failed)} of {len(rows)} requirements fail ({', '.join(failed)})"
    if not failed:
        outcome = f"All {len(rows)} requirements hold"
    counted, expected = figures["soundings_counted"], figures["soundings_expected"]
    if not counted:
        declined = figures["soundings_not_attempted"]
        return f"{outcome}. None of the {expected} soundings observed gave a converged retrieval" + (
            f"; {declined} were not attempted." if declined else "."
        )
    mean, low, high = (
        number(figures[f"xco2_error_mean{end}_ppm"], sign=True) for end in ("", "_low", "_high")
    )
    scatter, ratio = (
        number(figures[name]) for name in ("xco2_error_scatter_ppm", "smoothed_scatter_to_noise_sigma")
    )
    kept = figures["soundings_kept"]
    graded = "" if kept == counted else f", {kept} of them with a good flag"
    return (
        f"{outcome}. Of {expected} soundings observed {counted} converged{graded}; "
        f"their mean XCO2 error is {mean} ppm (95 %: {low} to {high}), their scatter {scatter} ppm; "
        f"against the kernel-smoothed truth they scatter {ratio} times the reported noise sigma."
    )


def number(value: float | None, digits: int = 3, sign: bool = False) -> str:
    """Write a number with `digits` significant digits; none for what was not measured."""
    if value is None:
        return "none"
    if isinstance(value, int):
        return str(value)
    return f"{value:{'+' if sign else ''}.{digits}g}"


def _json(chart: Chart) -> str:
    """Write a chart so that no text in it can end the script element it stands in."""
    return json.dumps(chart, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
