"""The wall: processors with nothing but what they declare to need."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

PROCESSORS = Path(__file__).parents[2] / "processors"
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


def run_alone(folder: Path, *arguments: str, program: str = START) -> subprocess.CompletedProcess[str]:
    """Start Python without site-packages, environment or working directory on its path."""
    program = program.format(code=str(folder / "code"), site=str(folder / "site"))
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    return subprocess.run(command, cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)


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
