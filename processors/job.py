"""Turn a job order (YAML) into a checked Job, and name the two ways in which a step can end badly."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# step: the inputs it must be given; its one output carries the name of the step
STEPS: dict[str, tuple[str, ...]] = {
    "l0": ("stream", "manifest"),
    "l1a": ("l0", "ckd", "leap_seconds"),
    "l1b": ("l1a", "ckd"),
    "l2": (
        "l1b",
        "ckd",
        "prior",
        "lines",
        "partition_sums",
        "cia",
        "solar_lines",
        "solar_continuum",
        "particles",
    ),
}
KEYS = ("step", "inputs", "outputs", "settings", "scenario_hash", "cache", "log")
Paths = Path | list[Path]


class BadInput(Exception):
    """A job order or file is not as expected: `file: expected ... got ...: do ...`; exit code 2."""


class ProcessorError(Exception):
    """A step could not finish on well-formed data; exit code 3."""


@dataclass(frozen=True)
class Job:
    """One step to run; relative paths count from the working directory."""

    step: str
    inputs: Mapping[str, Paths]
    outputs: Mapping[str, Paths]
    settings: Mapping[str, Any]
    scenario_hash: str
    cache: Path | None  # directory of tables kept between jobs
    path: Path  # of the job order itself
    log: Path | None = None  # where the traceback of a failure goes

    def input(self, name: str) -> Path:
        return self._one("inputs", name)

    def output(self, name: str) -> Path:
        return self._one("outputs", name)

    def input_list(self, name: str) -> list[Path]:
        return _as_list(self._given("inputs", name))

    def output_list(self, name: str) -> list[Path]:
        return _as_list(self._given("outputs", name))

    def pairs(self, source: str, target: str) -> list[tuple[Path, Path]]:
        """Match the inputs `source` with the outputs `target`, first with first."""
        sources, targets = self.input_list(source), self.output_list(target)
        if len(sources) != len(targets):
            raise BadInput(
                f"{self.path}: expected as many outputs.{target} as inputs.{source}, "
                f"got {len(targets)} and {len(sources)}: list one output for every input"
            )
        return list(zip(sources, targets, strict=True))

    def options(self, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Overlay the settings on the step's defaults; an unknown key or another kind of value is refused."""
        for key, value in self.settings.items():
            if key not in defaults:
                raise BadInput(f"{self.path}: settings: {_unknown(key, defaults)}")
            if not _same_kind(value, defaults[key]):
                kind = type(defaults[key]).__name__
                raise BadInput(
                    f"{self.path}: settings.{key}: expected {kind}, got {value!r}: correct the value"
                )
        return {**defaults, **self.settings}

    def _given(self, side: str, name: str) -> Paths:
        given: Mapping[str, Paths] = getattr(self, side)
        if name not in given:
            raise BadInput(f"{self.path}: expected {side}.{name}, got none: name the file")
        return given[name]

    def _one(self, side: str, name: str) -> Path:
        paths = _as_list(self._given(side, name))
        if len(paths) != 1:
            raise BadInput(f"{self.path}: expected one path at {side}.{name}, got {len(paths)}: name one")
        return paths[0]


def load(path: Path | str) -> Job:
    path = Path(path)
    order = _mapping(_parse(path), path, "job order")
    for key in order:
        if key not in KEYS:
            raise BadInput(f"{path}: {_unknown(key, KEYS)}")
    step = order.get("step")
    if not isinstance(step, str) or step not in STEPS:
        raise BadInput(f"{path}: expected step: one of {', '.join(STEPS)}, got {step!r}: correct the step")
    inputs = _paths(order.get("inputs"), path, "inputs", STEPS[step])
    for name, files in inputs.items():
        _require_files(path, name, _as_list(files))
    return Job(
        step=step,
        inputs=inputs,
        outputs=_paths(order.get("outputs"), path, "outputs", (step,)),
        settings=_mapping(order.get("settings") or {}, path, "settings"),
        scenario_hash=str(order.get("scenario_hash", "")),
        cache=_optional_path(order, "cache", path),
        path=path,
        log=_optional_path(order, "log", path),
    )


def _parse(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise BadInput(f"{path}: expected a job order, got {error.strerror}: check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected a YAML job order, got {error}: correct the file") from error


def _mapping(value: Any, path: Path, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        kind = type(value).__name__
        raise BadInput(f"{path}: expected {what} as a mapping of names, got {kind}: write `key: value` lines")
    return value


def _paths(value: Any, path: Path, side: str, names: tuple[str, ...]) -> dict[str, Paths]:
    given = _mapping(value, path, side)
    for name in given:
        if name not in names:
            raise BadInput(f"{path}: {side}: {_unknown(name, names)}")
    for name in names:
        if name not in given:
            raise BadInput(f"{path}: expected {side}.{name}, got none: name the file")
    return {name: _path_or_list(given[name], path, f"{side}.{name}") for name in given}


def _path_or_list(value: Any, path: Path, what: str) -> Paths:
    if isinstance(value, str) and value:
        return Path(value)
    if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
        return [Path(item) for item in value]
    raise BadInput(f"{path}: expected a path or a list of paths at {what}, got {value!r}: name the file")


def _optional_path(order: dict[str, Any], key: str, path: Path) -> Path | None:
    value = order.get(key)
    if value is None or (isinstance(value, str) and value):
        return None if value is None else Path(value)
    raise BadInput(f"{path}: expected a path at {key}, got {value!r}: name a path or leave the key out")


def _require_files(path: Path, name: str, files: list[Path]) -> None:
    for file in files:
        if not file.exists():
            raise BadInput(f"{file}: expected a file for inputs.{name} of {path}, got none: make it first")


def _as_list(paths: Paths) -> list[Path]:
    return list(paths) if isinstance(paths, list) else [paths]


def _unknown(key: str, known: Any) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    do = f"did you mean {near[0]!r}?" if near else "leave it out"
    return f"expected keys out of {', '.join(known) or 'none'}, got {key!r}: {do}"


def _same_kind(value: Any, default: Any) -> bool:
    if default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
