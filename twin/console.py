"""Show a run on the terminal: progress on standard error, the verdict's table on standard output."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from twin.errors import ProgramFailed

if TYPE_CHECKING:  # netCDF is not loaded for a table
    from twin.capacity import Answer
    from twin.mission.timeline import Timeline
    from twin.verify.balance import Balance

TABLE_WIDTH = 100  # characters, where standard output is no terminal


class Progress:
    """One bar a stage on a terminal, one line a finished stage elsewhere."""

    def __init__(self, title: str, stages: list[str]) -> None:
        self._console = Console(stderr=True)
        self._width = max(map(len, stages))
        self._stage = ""
        self._started = 0.0
        self._total = 0
        self._noun = "file"
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Bars(*columns, console=self._console, disable=not self._console.is_terminal)
        self._console.print(f"[bold]{title}[/bold]", highlight=False)

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bars.stop()

    def skip(self, stage: str) -> None:
        self._console.print(f"{stage:{self._width}s}  done before", highlight=False)

    def start(self, stage: str, total: int, noun: str = "file") -> None:
        """Open a stage that will make `total` of what the noun names."""
        self._stage, self._started, self._total, self._noun = stage, time.monotonic(), total, noun
        self._bar = self._bars.add_task(f"{stage:{self._width}s}", total=total)

    def update(self, done: int) -> None:
        self._bars.update(self._bar, completed=done)

    def finish(self, stage: str) -> None:
        self._bars.update(self._bar, completed=self._total)
        if not self._console.is_terminal:
            wall_s = time.monotonic() - self._started
            made = f"{self._total:4d} {self._noun}{'s' if self._total != 1 else ' '}"
            self._console.print(f"{stage:{self._width}s}  {made}  {wall_s:6.1f} s", highlight=False)


def conclude(directory: Path) -> int:
    """Print requirement, measured, limit, verdict and the report's path; 0 when all hold, else 1."""
    path = directory / "verdict.json"
    try:
        verdict = json.loads(path.read_text(encoding="utf-8"))
        rows = verdict["requirements"]
    except (OSError, ValueError, KeyError) as error:
        raise ProgramFailed(f"{path}: expected a verdict with requirements, got {error!r}") from None
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=TABLE_WIDTH)
    mission = {row["figure"]: f"{row['goal']:g} / {row['threshold']:g}" for row in verdict.get("mission", ())}
    table = Table("requirement", "measured", "limit", "verdict", "mission goal / threshold", box=None)
    for row in rows:
        name, held = row["figure"], "pass" if row["holds"] else "FAIL"
        table.add_row(name, _number(row["measured"]), _limit(row), held, mission.get(name, ""))
    console.print(table)
    for row in rows:
        if not row["holds"]:
            console.print(_failure(row), highlight=False, markup=False)
    for row in verdict.get("faults") or ():
        word = "holds" if row["holds"] else f"FAILS: {'; '.join(row['problems'])}"
        console.print(f"fault {row['fault']}: {row['what']}: {word}", highlight=False, markup=False)
    if difference := (verdict.get("mismatch") or {}).get("difference_mean_ppm"):
        share = verdict["mismatch"]["co2_intensity"]
        console.print(
            f"with CO2 intensity {share:+.1%} in truth: XCO2 {difference:+.2f} ppm", highlight=False
        )
    console.print(f"report: {directory / 'report.html'}", highlight=False, soft_wrap=True)
    return 0 if all(row["holds"] for row in rows) else 1


def balance(found: Balance) -> int:
    """Print where packets and soundings ended; 0 when all are accounted for, else 1."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=TABLE_WIDTH)
    for rows in (found.packets, found.levels):
        table = Table(*(rows[0] if rows else ()), box=None)
        for row in rows:
            table.add_row(*map(str, row.values()))
        console.print(table)
        console.print()
    for title, counts in (
        ("packets that did not arrive well", found.packet_reasons),
        ("soundings", found.outcomes),
        ("reason of bad quality", found.reasons),
        ("programs that failed for good", found.failures),
    ):
        table = Table(title, "number", box=None)
        for name, number in counts.items():
            table.add_row(name, str(number))
        if counts:
            console.print(table)
            console.print()
    for text in found.complaints or ["all accounted for"]:
        console.print(text, highlight=False, markup=False)
    return 1 if found.complaints else 0


def capacity(found: Answer) -> int:
    """Print what each number of workers reaches, and the number needed; 0 when there is one, else 1."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=TABLE_WIDTH)
    titles = ("workers", "latency p50, min", "p95, min", "max, min", "busy", "backlog, granules")
    table = Table(*titles, box=None)
    for trial in (*found.trials, found.floor):
        times = (f"{time_s / 60:.1f}" for time_s in (trial.p50_s, trial.p95_s, trial.max_s))
        busy = "" if trial.utilisation is None else f"{trial.utilisation:.1%}"
        table.add_row(str(trial.workers or "unlimited"), *times, busy, str(trial.backlog_max))
    console.print(table)
    for stage, rate in found.rates.rates.items():
        per = "MB of a pass" if stage == "l0" else "sounding"
        source = "" if rate.separate else " (start-up taken from the quickest program)"
        text = f"{stage}: {rate.start_s:.3f} s a program and {rate.each_s:.4f} s a {per}{source}"
        console.print(text, highlight=False)
    console.print(f"service times measured in {found.rates.source}", highlight=False, soft_wrap=True)
    if found.needed is None:
        text = "no number of workers meets it: the rest is waiting on board and on the way; add contacts"
    else:
        text = f"{found.needed} worker{'s' if found.needed > 1 else ''} needed"
    console.print(f"p95 at most {found.target_s / 60:.1f} min: {text}", highlight=False, soft_wrap=True)
    return 0 if found.needed else 1


def plan(made: Timeline, served: list[tuple[str, int, int]], directory: Path, wall_s: float) -> int:
    """Print requests served by kind, reasons of the others, times of modes and contacts, the figures; 0."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=TABLE_WIDTH)
    for heads, rows in (
        (("request", "served", "of"), served),
        (("not served", "why", "for example"), _reasons(made)),
        (
            ("mode", "number", "minutes"),
            _shares((one.mode, one.end_us - one.start_us) for one in made.activities),
        ),
        (
            ("contact", "number", "minutes"),
            _shares((f"{one.band.upper()} {one.station}", one.los_us - one.aos_us) for one in made.contacts),
        ),
    ):
        table = Table(*heads, box=None)
        for row in rows:
            table.add_row(*map(str, row))
        if rows:
            console.print(table)
            console.print()
    console.print(_quality(made) + f", {wall_s:.1f} s", highlight=False, soft_wrap=True)
    console.print(f"plan: {directory / 'timeline.json'}", highlight=False, soft_wrap=True)
    return 0


def _reasons(made: Timeline) -> list[tuple[int, str, str]]:
    """Count the requests not served by the first words of the reason; timeline.json has each in full."""
    names: dict[str, list[str]] = {}
    for name, reason in made.unserved:
        names.setdefault("conflicts with another" if reason.startswith("conflicts") else reason, []).append(
            name
        )
    return [(len(each), reason, ", ".join(each[:2])) for reason, each in sorted(names.items())]


def _shares(pieces: Iterable[tuple[str, int]]) -> list[tuple[str, int, str]]:
    """Count pieces (name, us) and their minutes."""
    lengths_us: dict[str, list[int]] = {}
    for name, length_us in pieces:
        lengths_us.setdefault(name, []).append(length_us)
    return [(name, len(each), f"{sum(each) / 60e6:.1f}") for name, each in sorted(lengths_us.items())]


def _quality(made: Timeline) -> str:
    """Say how good a plan is known to be."""
    text = f"{made.method}: objective {made.objective:.0f}"
    if made.bound is None:
        return text + ", no bound known"
    return text + f", bound {made.bound:.0f}, gap {made.gap or 0.0:.2%}" + ", optimal" * made.optimal


def _failure(row: dict[str, Any]) -> str:
    """Say why a row fails, and why its limit is what it is."""
    why = row.get("reason") or "fails"
    because = f" (limit because {row['because']})" if row.get("because") else ""
    return f"{row['figure']} {why}{because}"


def _limit(row: dict[str, Any]) -> str:
    low, high = row.get("at_least"), row.get("at_most")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at most {high:g}" if high is not None else f"at least {low:g}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"
