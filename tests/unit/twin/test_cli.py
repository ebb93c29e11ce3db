"""The commands as a user meets them: exit codes, what goes to stdout and stderr."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from twin import cli, run
from twin.errors import BadInput, ProgramFailed

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.fixture
def twin():
    def invoke(*arguments: str):
        return CliRunner().invoke(cli.app, list(arguments), catch_exceptions=False)

    return invoke


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom twin import cli\n"
        "assert CliRunner().invoke(cli.app, ['--help']).exit_code == 0\n"
        "print([m for m in ('numpy', 'xarray', 'pint', 'pydantic', 'ruamel', 'netCDF4') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_scenarios_lists_names_with_their_questions(twin):
    lines = twin("scenarios").stdout.splitlines()
    assert [line.split()[0] for line in lines] == sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    assert all(line.rstrip().endswith("?") for line in lines)


def test_check_accepts_a_bare_name_and_a_path(twin):
    for name in ("nadir_land", str(SCENARIOS / "nadir_land.yaml")):
        result = twin("check", name)
        assert result.exit_code == 0
        assert "nadir_land: 60 soundings, seed 2: ok" in result.stdout


def test_check_tells_errors_on_stderr_and_ends_with_2(twin, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("name: bad\nsead: 1\n")
    result = twin("check", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{path}:2:1: sead: expected one of" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", "x", "--soundings", "2"), ("run", "x", "--workers", "0")]
)
def test_wrong_arguments_end_with_2(twin, arguments):
    assert twin(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (0, 0),
        (1, 1),
        (BadInput("no"), 2),
        (ProgramFailed("no"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_ending_has_its_exit_code(twin, monkeypatch, ending, code):
    def execute(name, runs, **options):
        if isinstance(ending, BaseException):
            raise ending
        return ending

    monkeypatch.setattr(run, "execute", execute)
    result = twin("run", "any")
    assert result.exit_code == code
    assert (result.stderr != "") == (code > 1)


def test_options_reach_the_run(twin, monkeypatch):
    seen = {}
    monkeypatch.setattr(run, "execute", lambda name, runs, **options: seen.update(options, runs=runs) or 0)
    twin("run", "x", "--soundings", "6", "--seed", "4", "--fresh", "--runs", "elsewhere", "--workers", "3")
    assert seen == {"soundings": 6, "seed": 4, "fresh": True, "workers": 3, "runs": Path("elsewhere")}
