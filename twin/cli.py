"""Typer commands of the twin; every decision is taken in the modules they call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from twin.errors import BadInput, ProgramFailed

INTERRUPTED = 130  # 128 + SIGINT, the shell's convention
app = typer.Typer(
    help="Digital twin of a CO2 satellite: from known CO2 fields through telemetry to XCO2, and a verdict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the rich help page costs 0.1 s of imports
)
truth = typer.Typer(help="Look at nature, the truth that no processor sees.", no_args_is_help=True)
app.add_typer(truth, name="truth")
ScenarioArgument = Annotated[str, typer.Argument(metavar="SCENARIO", help="A YAML file or its bare name.")]

NatureOption = Annotated[
    str | None, typer.Option("--scenario", metavar="SCENARIO", help="Whose nature; default: every layer on.")
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Seed of nature; default: the scenario's, or 1.")]
OutputOption = Annotated[Path, typer.Option(help="Directory of the two files.")]


@app.command()
def run(
    scenario: ScenarioArgument,
    soundings: Annotated[int | None, typer.Option(min=3, help="Override observation.soundings.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Override the seed.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete this run's directory first.")] = False,
    runs: Annotated[Path, typer.Option(help="Directory of all runs.")] = Path("runs"),
    workers: Annotated[int | None, typer.Option(min=1, help="Programs at once; default: all cores.")] = None,
) -> None:
    """Run a scenario to its verdict: exit code 0 all requirements hold, 1 one fails, 2 bad input,
    3 a processor failed. An interrupted run resumes when the command is repeated."""

    def work() -> int:
        from twin.run import execute

        return execute(scenario, runs, soundings=soundings, seed=seed, fresh=fresh, workers=workers)

    _guard(work)


@app.command()
def plan(
    scenario: ScenarioArgument,
    method: Annotated[
        str | None,
        typer.Option(help="cp_sat, greedy, module:Name or an executable; default: the scenario's."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Directory of all runs.")] = Path("runs"),
) -> None:
    """Programme a mission: requests to a conflict-free timeline, its picture and command packets; exit
    code 0, or 2 on bad input."""

    def work() -> int:
        from twin.planner import execute

        return execute(scenario, runs, method)

    _guard(work)


@app.command()
def check(scenario: ScenarioArgument) -> None:
    """Check a scenario and tell every error with file, line and column."""

    def work() -> int:
        from twin.run import find
        from twin.scenario import load

        path = find(scenario)
        checked = load(path)
        print(f"{path}: {checked.name}: {checked.observation.soundings} soundings, seed {checked.seed}: ok")
        return 0

    _guard(work)


@app.command()
def scenarios() -> None:
    """List the scenarios and the question each of them asks."""

    def work() -> int:
        from twin.run import listing

        for name, question in listing():
            print(f"{name:24s} {question}")
        return 0

    _guard(work)


@app.command()
def account(
    run_directory: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a finished run.")],
) -> None:
    """Tell where every packet and sounding of a run ended: exit code 0 all accounted for, 1 not,
    2 bad input."""

    def work() -> int:
        from twin import console
        from twin.verify import balance

        return console.balance(balance.of(run_directory))

    _guard(work)


@app.command()
def capacity(
    scenario: ScenarioArgument,
    target: Annotated[str, typer.Option(help="Limit of the 95th percentile of latency, 3 h or 90 min.")],
    measured: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Finished run that gives the service times.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0.01, help="Override mission.duration.")] = None,
    plan: Annotated[Path | None, typer.Option(help="A timeline.json instead of a greedy plan.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Override the seed.")] = None,
) -> None:
    """Tell how many workers of the ground a latency target needs: exit code 0 found, 1 no number
    meets it, 2 bad input."""

    def work() -> int:
        from twin import capacity, console
        from twin.run import find

        return console.capacity(capacity.ask(find(scenario), target, measured, days, plan, seed))

    _guard(work)


@truth.command("map")
def truth_map(
    date: Annotated[str, typer.Option(help="UTC date (its noon) or time, 2026-07-01 or 2026-07-01T06:00.")],
    what: Annotated[str, typer.Option(help="xco2, psurf, albedo_b2, aod, ...; a wrong name lists all.")],
    scenario: NatureOption = None,
    seed: SeedOption = None,
    output: OutputOption = Path("runs/truth"),
    step: Annotated[float, typer.Option(help="Width of the grid's cells, degrees.")] = 1.0,
) -> None:
    """Write a global field of nature as netCDF and as a picture."""

    def work() -> int:
        from twin.truthview.show import show_map

        return show_map(date, what, scenario, seed, output, step)

    _guard(work)


@truth.command("spectrum")
def truth_spectrum(
    lat: Annotated[float, typer.Option(help="Latitude, degrees north.")],
    lon: Annotated[float, typer.Option(help="Longitude, degrees east.")],
    date: Annotated[
        str | None,
        typer.Option(help="UTC time, or a date: its 10:30 local solar time. Default: the scenario's start."),
    ] = None,
    mode: Annotated[str, typer.Option(help="nadir: from overhead; glint: mirrored to the Sun.")] = "nadir",
    sza: Annotated[
        float | None, typer.Option(help="Solar zenith angle instead of the true one, degrees.")
    ] = None,
    vza: Annotated[
        float | None, typer.Option(help="Sensor zenith angle instead of the mode's, degrees.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Leave cloud and cirrus out.")] = False,
    scenario: NatureOption = None,
    seed: SeedOption = None,
    output: OutputOption = Path("runs/truth"),
    runs: Annotated[Path, typer.Option(help="Directory of all runs, whose tables are shared.")] = Path(
        "runs"
    ),
) -> None:
    """Write what the sensor would see at a place, without noise, as netCDF and as a picture."""

    def work() -> int:
        from twin.truthview.show import show_spectrum

        return show_spectrum((lat, lon), date, mode, (sza, vza), scenario, seed, output, runs, clear)

    _guard(work)


def _guard(work: Callable[[], int]) -> None:
    """Turn the errors of the twin into one message on stderr and their exit code."""
    try:
        code = work()
    except (BadInput, ProgramFailed) as error:
        print(error, file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("interrupted: repeat the command to resume at the last finished stage", file=sys.stderr)
        code = INTERRUPTED
    raise typer.Exit(code)


def main() -> None:
    """Run the `twin` command."""
    app()
