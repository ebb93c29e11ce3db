"""The wall: processors with nothing but what they declare to need."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from processors import products

PROCESSORS = Path(__file__).parents[2] / "processors"
SCENARIOS = PROCESSORS.parent / "scenarios"
TWIN = Path(sysconfig.get_path("scripts")) / "twin"
HANDED_OVER = ("l0_stream", "aux", "ckd.nc", "prior.nc")  # what the ground is given; no truth among it
STEPS = ("l0", "l1a", "l1b", "l2")
START = """
import runpy, sys
sys.path[:0] = [{code!r}, {site!r}]
sys.argv[0] = "processors"
runpy.run_module("processors", run_name="__main__", alter_sys=True)
"""


def declared() -> set[str]:
    """List the distributions of processors/pyproject.toml and, in turn, what those declare to need."""
    wanted = list(tomllib.loads((PROCESSORS / "pyproject.toml").read_text())["project"]["dependencies"])
    found: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = re.match(r"[\w.-]+", requirement)[0].lower()
        if "extra ==" in requirement or name in found:
            continue
        found.add(name)
        wanted += metadata.distribution(name).requires or []
    return found


def bare_environment(folder: Path) -> Path:
    """Copy processors into `folder`/code and link what it declares to need into `folder`/site."""
    shutil.copytree(PROCESSORS, folder / "code" / "processors", ignore=shutil.ignore_patterns("__pycache__"))
    site = folder / "site"
    site.mkdir()
    for name in declared():
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            link = site / top
            if not link.exists():
                link.symlink_to(Path(distribution.locate_file(top)).resolve())
    return folder


def run_alone(
    folder: Path, *arguments: str, program: str = START, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Start Python without site-packages, environment or working directory on its path."""
    program = program.format(code=str(folder / "code"), site=str(folder / "site"))
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    place = {"cwd": cwd or folder, "env": {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}}
    return subprocess.run(command, **place, capture_output=True, text=True)


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    return bare_environment(tmp_path_factory.mktemp("bare"))


def test_only_declared_packages_are_in_reach(bare):
    """
    Rationale: a processor that leans on the twin would agree with it for the wrong reason.
    Setup: a copy of processors, its declared dependencies, no site-packages.
    Expected behaviour: these are found, the twin, nature and their libraries are not.
    """
    wanted = ("processors", "numpy", "scipy", "numba", "netCDF4", "yaml")
    barred = ("twin", "truth", "sasktran2", "xarray", "skyfield", "simpy", "pydantic", "pandas", "pip")
    program = (
        "import sys, json, importlib.util as u; sys.path[:0] = [{code!r}, {site!r}]; "
        "print(json.dumps([name for name in sys.argv[1:] if u.find_spec(name)]))"
    )
    done = run_alone(bare, *wanted, *barred, program=program)
    assert json.loads(done.stdout) == list(wanted), done.stderr


def test_every_module_imports_alone(bare):
    """
    Rationale: an import inside a function or an undeclared package shows only where it is missing.
    Setup: as above.
    Expected behaviour: every module below processors can be imported from the copy.
    """
    program = (
        "import sys, importlib, pkgutil; sys.path[:0] = [{code!r}, {site!r}]; import processors as p\n"
        "names = [m.name for m in pkgutil.walk_packages(p.__path__, 'processors.')]\n"
        "files = [importlib.import_module(n).__file__ for n in names if not n.endswith('__main__')]\n"
        "print(all(f.startswith({code!r}) for f in files), len(files))"
    )
    done = run_alone(bare, program=program)
    said, count = done.stdout.split() or ("", "0")
    assert said == "True", done.stderr
    assert int(count) > 10


def test_program_answers_alone(bare):
    """
    Rationale: the copy must be a program of its own.
    Setup: as above, a job order that does not exist.
    Expected behaviour: the same exit code and message as where everything is installed.
    """
    done = run_alone(bare, "l1b", "none.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "none.yaml: expected a job order, got No such file or directory: check the path\n"


@pytest.fixture(scope="module")
def whole_run(new_runs) -> Path:
    """Run the main job over six soundings with everything installed; its verdict is not the matter here."""
    runs = new_runs()
    scenario = runs / "six.yaml"
    scenario.write_text((SCENARIOS / "sunglint_ocean.yaml").read_text() + "mismatch: {soundings: 0}\n")
    command = [
        sys.executable,
        str(TWIN),
        "run",
        str(scenario),
        "--soundings",
        "6",
        "--runs",
        str(runs),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    made = list(runs.glob("*/l2/*.nc"))
    assert len(made) == 1, done.stderr
    return made[0].parents[1]


def hand_over(run: Path, target: Path) -> None:
    """Copy what the ground is given and its job orders into an empty directory."""
    target.mkdir()
    for name in HANDED_OVER:
        source = run / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target / name)
    (target / "jobs").mkdir()
    for step in STEPS:
        for job in (run / "jobs").glob(f"{step}-*.yaml"):
            shutil.copy(job, target / "jobs")


def test_ground_alone_makes_the_same_products(bare, whole_run):
    """
    Rationale: if the ground needs only telemetry, CKD, prior and auxiliary files, no truth leaks.
    Setup: the stream and these files of a run, its job orders, processors alone, tables built anew.
    Expected behaviour: L0 to L2 come out as in the run, bit for bit.
    """
    target = bare / "run"
    hand_over(whole_run, target)
    for step in STEPS:
        for job in sorted((target / "jobs").glob(f"{step}-*.yaml")):
            done = run_alone(bare, step, str(job), cwd=target)
            assert done.returncode == 0, done.stderr
    for step in STEPS:
        files = sorted((whole_run / step).glob("*.nc"))
        assert files
        for file in files:
            assert_same(products.read(file), products.read(target / step / file.name))


def assert_same(one: products.Product, other: products.Product) -> None:
    assert one.attrs == other.attrs
    assert list(one) == list(other)
    for name in one:
        assert one[name].dtype == other[name].dtype
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_nothing_handed_over_is_nature(whole_run, tmp_path):
    """
    Rationale: the comparison above proves nothing if truth were among the copies.
    Setup: the directory handed over.
    Expected behaviour: no file of the run's truth or true viewing is in it.
    """
    hand_over(whole_run, tmp_path / "run")
    nature = {path.name for path in (whole_run / "truth").iterdir()} | {"truth.nc", "geometry.nc", "dn"}
    assert (whole_run / "truth.nc").exists()
    assert not nature & {path.name for path in (tmp_path / "run").rglob("*")}
