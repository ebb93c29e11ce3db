"""Repeat the first L2 job of a run with another Python and require the same values, bit for bit.

Usage: ground_alone.py PYTHON RUN_DIRECTORY
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import netCDF4
import numpy as np
import yaml

WALL = "import importlib.util as u; assert not any(map(u.find_spec, ('twin', 'truth', 'sasktran2', 'simpy')))"


def main(python: str, run: Path) -> None:
    subprocess.run([python, "-c", WALL], check=True, cwd="/")
    order = yaml.safe_load((run / "jobs" / "l2-0000.yaml").read_text())
    source, product = order["inputs"]["l1b"][0], run / order["outputs"]["l2"][0]
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / "again.nc"
        order["inputs"] = {name: absolute(run, path) for name, path in order["inputs"].items()}
        order["inputs"]["l1b"], order["outputs"]["l2"] = [str(run / source)], [str(again)]
        order["cache"] = folder
        job = Path(folder) / "job.yaml"
        job.write_text(yaml.safe_dump(order))
        subprocess.run([python, "-m", "processors", "l2", str(job)], check=True, cwd=folder)
        with netCDF4.Dataset(product) as a, netCDF4.Dataset(again) as b:
            for name in a.variables:
                first, second = (np.ma.filled(f[name][:]).tobytes() for f in (a, b))
                assert first == second, f"{name} differs between the run and the ground alone"
            print(f"{len(a.variables)} variables of {product.name} identical")


def absolute(run: Path, path: str | list[str]) -> str | list[str]:
    return [str(run / p) for p in path] if isinstance(path, list) else str(run / path)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
