"""Turn what is wrong with a scenario file into lines a person can act on: file:line:column: key: ..."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from twin.errors import BadInput

DATA = Path(__file__).parent / "data"
RECORD = 160  # columns of a line of HITRAN 2004
Place = tuple[str | int, ...]
EXPECTED = {  # pydantic error type -> what to expect, with the names of its context
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "text matching {pattern}",
    "too_short": "at least {min_length} entry",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "datetime_type": "a UTC time like 2026-07-01T20:40:00Z",
}


def read(path: Path) -> str:
    """Read the text of a scenario or raise BadInput."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = difflib.get_close_matches(path.stem, [p.stem for p in path.parent.glob("*.yaml")], 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInput(f"{path}: expected a scenario file, found none{hint}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: expected UTF-8 text, got byte {error.start} that is not") from None
    except OSError as error:
        raise BadInput(f"{path}: expected a readable scenario file: {error.strerror}") from None


def parse(path: Path, text: str) -> tuple[dict[str, Any], Node]:
    """Parse YAML to plain values and to the node graph that knows lines and columns."""
    try:
        node = YAML(pure=True).compose(text)
        data = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context).split())
        raise BadInput(f"{_at(path, mark)}: expected YAML, got: {problem}") from None
    except Exception as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{path}:1:1: expected YAML, got: {reason}") from None
    if not isinstance(data, dict):
        kind = "nothing" if data is None else type(data).__name__
        raise BadInput(f"{path}:1:1: expected a mapping of scenario keys, got {kind}")
    return data, node


def first_comment(text: str) -> str:
    """Give the first line without its comment sign, or nothing when it is no comment."""
    line = text.lstrip("\ufeff").partition("\n")[0].strip()
    return line.lstrip("# ").strip() if line.startswith("#") else ""


def explain(path: Path, node: Node, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Give one line for each error of a validation, in the order of the file."""
    lines = []
    for item in error.errors(include_url=False):
        place = tuple(part for part in item["loc"] if part != "[key]")
        mark = _mark(node, place)
        key = ".".join(map(str, place)) or "scenario"
        lines.append(((mark.line, mark.column), f"{_at(path, mark)}: {key}: {_reason(item, place, model)}"))
    return [text for _, text in sorted(lines)]


def unmet_references(path: Path, node: Node, scenario: Any) -> list[str]:
    """Check what a scenario names elsewhere: instrument file, other processors' programs, figures."""
    from twin.faults import catalogue
    from twin.verify import requirements

    problems = _absent(path, node, scenario) + _unmet_operations(path, node, scenario)
    if not scenario.requirements:
        where = _at(path, _mark(node, ("requirements",)))
        problems.append(f"{where}: requirements: expected at least one, got none: a run without any passes")
    if not (DATA / f"{scenario.instrument.name}.yaml").is_file():
        known = sorted(p.stem for p in DATA.glob("*.yaml"))
        place = ("instrument", "name")
        got = f"expected one of {', '.join(known)}, got {scenario.instrument.name!r}"
        problems.append(f"{_at(path, _mark(node, place))}: instrument.name: {got}")
    for step, command in scenario.processors.items():
        if shutil.which(command[0]) is None:
            where = _at(path, _mark(node, ("processors", step)))
            problems.append(f"{where}: processors.{step}: expected an executable, got {command[0]!r}")
    for index, name in enumerate(scenario.faults):
        if reason := catalogue.unknown(name):
            where = _at(path, _mark(node, ("faults", index)))
            problems.append(f"{where}: faults.{index}: {reason}")
    for index, requirement in enumerate(scenario.requirements):
        if reason := requirements.unknown(requirement.figure):
            where = _at(path, _mark(node, ("requirements", index, "figure")))
            problems.append(f"{where}: requirements.{index}.figure: {reason}")
    return problems


def _unmet_operations(path: Path, node: Node, scenario: Any) -> list[str]:
    """Check the stations that a mission names, and that nothing goes wrong before it begins."""
    from twin.mission.stations import STATIONS

    if (mission := scenario.mission) is None:
        return []
    found: dict[Place, Any] = {
        ("mission", band, n): name
        for band in ("x_band", "s_band")
        for n, name in enumerate(getattr(mission, band))
    }
    for n, incident in enumerate(mission.incidents):
        found["mission", "incidents", n, "station"] = incident.station
        found["mission", "incidents", n, "start"] = incident.start
    known, start = {*STATIONS, None}, scenario.start
    problems = []
    for place, given in found.items():
        if place[-1] == "start":
            reason = f"a time from {start.isoformat()} on" if given < start else ""
        else:
            reason = "" if given in known else f"one of {', '.join(STATIONS)}"
        if reason:
            key = ".".join(map(str, place))
            problems.append(f"{_at(path, _mark(node, place))}: {key}: expected {reason}, got {given}")
    return problems


def _absent(path: Path, node: Node, scenario: Any) -> list[str]:
    """Check the files and folders a scenario names."""
    from twin.scenario import named_paths

    problems = []
    for place, named in named_paths(scenario).items():
        wanted = "lines-v1, hapi or a folder of *.par files" if place[-1] == "lines" else "a netCDF file"
        found = any(named.glob("*.par")) if place[-1] == "lines" else named.is_file()
        unread = _unreadable(place[-1], named) if found else f"got {str(named)!r}"
        if unread:
            where = _at(path, _mark(node, place))
            problems.append(f"{where}: {'.'.join(place)}: expected {wanted}, {unread}")
    return problems


def _unreadable(key: str, named: Path) -> str:
    """Say by their beginnings that files are no line lists or no netCDF; empty when they look well."""
    if key == "lines":
        widths = {path.name: _first_width(path) for path in sorted(named.glob("*.par"))}
        wrong = [f"{name} of {width}" for name, width in widths.items() if width != RECORD]
        return f"got records not of {RECORD} columns: {', '.join(wrong)}" if wrong else ""
    import netCDF4

    try:
        netCDF4.Dataset(named).close()
    except OSError as error:
        return f"got {str(named)!r}: {error.strerror}"
    return ""


def _first_width(path: Path) -> int:
    with path.open("rb") as stream:
        return len(stream.readline().rstrip(b"\r\n"))


def _reason(item: Any, place: Place, model: type[BaseModel]) -> str:
    kind, given = item["type"], item["input"]
    if kind == "value_error":
        return str(item["ctx"]["error"])
    if kind == "missing":
        return f"expected a value, got none: add the key {place[-1]}"
    if kind == "extra_forbidden":
        return _unknown_key(str(place[-1]), _known_keys(model, place[:-1]))
    expected = EXPECTED.get(kind)
    text = expected.format(**item.get("ctx", {})) if expected else item["msg"]
    return f"expected {text}, got {_short(given)}"


def _unknown_key(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1, 0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"expected one of {', '.join(known)}, got an unknown key{hint}"


def _known_keys(model: Any, place: Place) -> list[str]:
    """Follow field names through nested models (and lists of models) to the keys allowed there."""
    for part in place:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        choices = getattr(annotation, "__args__", (annotation,))
        model = next(choice for choice in choices if hasattr(choice, "model_fields"))
    return list(model.model_fields)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _mark(node: Node, place: Place) -> Any:
    """Find the deepest known position on the way to `place`; the key itself when it is the last part."""
    mark = node.start_mark
    for part in place:
        child = _child(node, part)
        if child is None:
            return mark
        key, node = child
        mark = key.start_mark
    return mark


def _child(node: Node, part: str | int) -> tuple[Node, Node] | None:
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    if isinstance(node, MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(part)), None)
    return None


def _at(path: Path, mark: Any) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else f"{path}:1:1"
