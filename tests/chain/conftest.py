"""Folders of runs that share the tables of spectroscopy, so that each test session makes them once."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def new_runs(tmp_path_factory) -> Callable[[], Path]:
    """Make folders of runs whose .cache is one and the same."""
    cache = tmp_path_factory.mktemp("tables")

    def make() -> Path:
        runs = tmp_path_factory.mktemp("runs")
        (runs / ".cache").symlink_to(cache)
        return runs

    return make
