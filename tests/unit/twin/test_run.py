"""The run directory: its name, resume at the last finished stage, --fresh, locks, unwritable places."""

import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from twin import provenance, run
from twin.chain import Stage
from twin.engine import Task
from twin.errors import BadInput, ProgramFailed
from twin.ledger import Ledger
from twin.scenario import load

TEXT = """\
# A question?
name: tiny
start: 2026-07-01T20:40:00Z
observation: {mode: glint, soundings: 12, start_latitude: 22 degree}
requirements:
  - {figure: xco2_error_mean_abs_ppm, at_most: 0.5}
  - {figure: smoothed_scatter_to_noise_sigma, at_least: 0.8, at_most: 1.25}
"""


def fake(name: str, code: str = "pass") -> Stage:
    """A stage of one program that notes its name in `journal`, then makes a file of that name."""
    program = f"open('journal', 'a').write('{name} ')\n{code}\nopen('{name}.out', 'w')"

    def tasks(chain) -> list[Task]:
        files = (chain.directory / f"{name}.out",)
        return [Task(name, name, (sys.executable, "-c", program), chain.directory / "jobs" / "x.log", files)]

    return Stage(name, tasks)


def verdict(bias: float, ratio: float) -> str:
    rows = [
        {"figure": "xco2_error_mean_abs_ppm", "measured": bias, "at_most": 0.5, "holds": bias <= 0.5},
        {
            "figure": "smoothed_scatter_to_noise_sigma",
            "measured": ratio,
            "at_least": 0.8,
            "at_most": 1.25,
            "holds": 0.8 <= ratio <= 1.25,
        },
    ]
    return f"import json; json.dump({{'requirements': {rows!r}}}, open('verdict.json', 'w'))"


@pytest.fixture
def execute(tmp_path, monkeypatch):
    (tmp_path / "tiny.yaml").write_text(TEXT)

    def execute(*stages: Stage, runs: Path = tmp_path / "runs", **options) -> int:
        monkeypatch.setattr(run, "stages", lambda scenario: stages)
        chosen = {"soundings": None, "seed": None, "fresh": False, "workers": 1} | options
        return run.execute(str(tmp_path / "tiny.yaml"), runs, **chosen)

    return execute


def only(runs: Path) -> Path:
    (directory,) = (path for path in runs.iterdir() if path.is_dir())
    return directory


@pytest.mark.parametrize(("bias", "ratio", "code"), [(0.5, 1.0, 0), (0.6, 1.0, 1), (0.1, 0.7, 1)])
def test_the_requirements_decide_the_exit_code(execute, capsys, bias, ratio, code):
    assert execute(fake("score", verdict(bias, ratio))) == code
    shown = capsys.readouterr()
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[0][:4] == ["requirement", "measured", "limit", "verdict"]
    assert lines[1][:2] == ["xco2_error_mean_abs_ppm", f"{bias:.3g}"]
    assert lines[1][5] == ("pass" if bias <= 0.5 else "FAIL")
    assert shown.out.splitlines()[-1].endswith("report.html")
    assert "score" in shown.err


def test_a_run_stopped_by_a_failure_resumes_at_the_last_finished_stage(execute, tmp_path):
    stages = (
        fake("a"),
        fake("b", "import os, sys; os.path.exists('mended') or sys.exit('no')"),
        fake("c", verdict(0, 1)),
    )
    with pytest.raises(ProgramFailed, match="b: exit code 1: no"):
        execute(*stages)
    directory = only(tmp_path / "runs")
    (directory / "mended").write_text("")
    assert execute(*stages) == 0
    assert (directory / "journal").read_text() == "a b b c "
    assert execute(*stages) == 0  # nothing left to do
    assert (directory / "journal").read_text() == "a b b c "


def test_an_interrupted_run_resumes(execute, tmp_path):
    kill = f"os.kill({os.getpid()}, signal.SIGINT)"
    stop = f"import os, signal, time; os.path.exists('mended') or ({kill}, time.sleep(60))"
    stages = fake("a"), fake("b", stop), fake("c", verdict(0, 1))
    with pytest.raises(KeyboardInterrupt):
        execute(*stages)
    directory = only(tmp_path / "runs")
    ledger = Ledger(directory / "ledger.sqlite")
    assert [row.state for row in ledger.rows()] == ["done", "interrupted"]
    ledger.close()
    (directory / "mended").write_text("")
    assert execute(*stages) == 0
    assert (directory / "journal").read_text() == "a b b c "


def test_a_request_to_end_counts_as_an_interruption(execute):
    stop = f"import os, signal, time; os.kill({os.getpid()}, signal.SIGTERM); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        execute(fake("a", stop))


def test_a_marker_keeps_the_figures_of_its_stage(execute, tmp_path):
    execute(fake("a", verdict(0, 1)))
    marker = json.loads((only(tmp_path / "runs") / "stages" / "a.json").read_text())
    assert (marker["stage"], marker["tasks"]) == ("a", 1)
    assert marker["wall_s"] > 0
    assert marker["cpu_s"] > 0
    assert marker["peak_rss_mb"] > 0


def test_a_file_that_went_missing_is_made_again(execute, tmp_path):
    stages = fake("a"), fake("b", verdict(0, 1))
    execute(*stages)
    (only(tmp_path / "runs") / "a.out").unlink()
    execute(*stages)
    assert (only(tmp_path / "runs") / "journal").read_text() == "a b a "


def test_fresh_empties_this_run_and_no_other(execute, tmp_path):
    stages = (fake("a", verdict(0, 1)),)
    execute(*stages, seed=1)
    execute(*stages, seed=2)
    first, second = sorted((tmp_path / "runs").iterdir())
    (tmp_path / "runs" / "notes").write_text("mine")
    for directory in (first, second):
        (directory / "left").write_text("")
    execute(*stages, seed=2, fresh=True)
    seeds = {path: json.loads((path / "scenario.json").read_text())["seed"] for path in (first, second)}
    assert {seeds[path]: (path / "left").exists() for path in seeds} == {1: True, 2: False}
    assert (tmp_path / "runs" / "notes").read_text() == "mine"


def test_the_directory_keeps_the_scenario_as_written_and_as_checked(execute, tmp_path):
    execute(fake("a", verdict(0, 1)), seed=7)
    directory = only(tmp_path / "runs")
    assert directory.name.startswith("tiny-")
    assert (directory / "scenario.yaml").read_text() == TEXT
    assert json.loads((directory / "scenario.json").read_text())["seed"] == 7


def test_an_unwritable_run_directory_is_bad_input(execute, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="expected a writable run directory, got Not a directory"):
        execute(fake("a"), runs=tmp_path / "file" / "runs")


def test_two_runs_do_not_share_a_directory(execute, tmp_path):
    stages = (fake("a", verdict(0, 1)),)
    execute(*stages)
    with (only(tmp_path / "runs") / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="expected no other run at work here"):
            execute(*stages)


def test_a_run_without_a_verdict_has_failed(execute):
    with pytest.raises(ProgramFailed, match="expected a verdict"):
        execute(fake("a"))


def test_the_hash_depends_on_what_decides_the_results_and_on_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "tiny.yaml"

    def of(text: str, **overrides) -> str:
        path.write_text(text)
        return provenance.run_hash(load(path, **overrides))

    base = of(TEXT)
    assert of(TEXT + "\n# another comment\n") == base
    assert of(TEXT.replace("22 degree", "22.0 deg")) == base
    program = tmp_path / "l2"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    other_l2 = TEXT + f"processors: {{l2: [{program}]}}\n"
    different = [of(TEXT, seed=2), of(TEXT, soundings=6), of(TEXT.replace("22 d", "23 d")), of(other_l2)]
    program.write_text("#!/bin/sh\ntrue\n")
    different.append(of(other_l2))
    assert len({base, *different}) == 6


def test_the_package_hash_sees_sources_and_data_but_no_caches(tmp_path, monkeypatch):
    root = tmp_path / "package"
    (root / "__pycache__").mkdir(parents=True)
    (root / "a.py").write_text("1")
    monkeypatch.setattr(provenance, "package_root", lambda package: root)

    def now() -> str:
        provenance.package_hash.cache_clear()
        return provenance.package_hash("package")

    base = now()
    (root / "__pycache__" / "a.pyc").write_text("x")
    assert now() == base
    (root / "table.csv").write_text("1,2")
    with_data = now()
    (root / "table.csv").rename(root / "renamed.csv")
    assert len({base, with_data, now()}) == 3
    provenance.package_hash.cache_clear()


def test_scenarios_are_found_by_path_or_by_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run.find("nadir_land") == run.SHIPPED / "nadir_land.yaml"
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.yaml").write_text(TEXT)
    assert run.find("mine") == Path("scenarios/mine.yaml")
    assert run.find("elsewhere/x.yaml") == Path("elsewhere/x.yaml")
    assert run.listing() == [("mine", "A question?")]


def test_a_folder_without_scenarios_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    with pytest.raises(BadInput, match="expected"):
        run.listing()
