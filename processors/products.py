"""Read and write netCDF products as the tables in icd/ describe them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import yaml

import processors
from processors.job import BadInput

ICD = Path(__file__).parent / "icd"
CKD_VERSION = 1
COMPRESS_FROM_BYTES = 65_536  # smaller arrays gain nothing from deflate
COPIED_KEYS = ("units", "units_metadata", "calendar", "standard_name", "long_name", "comment", "bounds")
TYPED_KEYS = ("valid_range", "flag_values", "flag_masks")


class Product(dict[str, np.ndarray]):
    """Variables by name, missing floats as NaN; `attrs` holds the global attributes."""

    def __init__(self, variables: Mapping[str, np.ndarray], attrs: Mapping[str, Any]) -> None:
        super().__init__(variables)
        self.attrs = dict(attrs)


class Groups(dict[str, Product]):
    """Groups of a calibration file by name; `attrs` holds the global attributes."""

    def __init__(self, groups: Mapping[str, Product], attrs: Mapping[str, Any]) -> None:
        super().__init__(groups)
        self.attrs = dict(attrs)


def product_name(level: str, start_time: float, granule: int) -> str:
    """Name the file of a level; `start_time` is the first sounding in seconds since 1970, UTC."""
    naming = _load_yaml("naming")
    start = _utc(start_time).strftime(naming["start_format"])
    return str(naming["pattern"].format(level=level.upper(), start=start, granule=granule))


@cache
def table(level: str) -> dict[str, Any]:
    """Merge icd/<level>.yaml with the shared variables it takes from icd/sounding.yaml."""
    own, common = _load_yaml(level), _load_yaml("sounding")
    optional = own.get("optional_shared", ())
    shared = {
        name: {**common["variables"][name], **({"optional": True} if name in optional else {})}
        for name in own.get("shared", ())
    }
    return {
        **own,
        "dimensions": {**common["dimensions"], **(own.get("dimensions") or {})},
        "variables": {**shared, **own["variables"]},
    }


@cache
def _load_yaml(name: str) -> dict[str, Any]:
    text = (ICD / f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def read(path: Path | str, variables: Iterable[str] | None = None, level: str | None = None) -> Product:
    """Read all or the named variables; a broken file, a missing variable or another level is BadInput."""
    with _opened(path) as dataset:
        attrs = _attributes(dataset)
        if level is not None and attrs.get("product_level") != level:
            given = attrs.get("product_level", "no product_level")
            raise BadInput(f"{path}: expected a product of level {level}, got {given}: give another file")
        names = list(dataset.variables) if variables is None else list(variables)
        for name in names:
            if name not in dataset.variables:
                raise BadInput(f"{path}: expected variable {name}, got none: make the file again")
        return Product({name: _values(dataset.variables[name]) for name in names}, attrs)


def read_groups(path: Path | str) -> Groups:
    """Read every group of a netCDF file, its attributes beside its variables."""
    with _opened(path) as dataset:
        groups = {
            name: Product({key: _values(value) for key, value in group.variables.items()}, _attributes(group))
            for name, group in dataset.groups.items()
        }
        return Groups(groups, _attributes(dataset))


def read_ckd(path: Path | str, times: np.ndarray | None = None) -> Groups:
    """Read calibration key data; refuse another version, and soundings outside its validity.

    times  (sounding,)  seconds since 1970-01-01, UTC
    """
    ckd = read_groups(path)
    version = ckd.attrs.get("ckd_version")
    if version is None or int(version) != CKD_VERSION:
        raise BadInput(
            f"{path}: wrong CKD version: expected ckd_version {CKD_VERSION}, got {version}: "
            "give a CKD of this version"
        )
    if times is not None:
        require_valid(ckd, np.asarray(times), path)
    return ckd


def require_valid(ckd: Groups, times: np.ndarray, path: Path | str) -> None:
    """Refuse soundings outside the validity of calibration key data of a path; times as in `read_ckd`."""
    times = times[np.isfinite(times)]
    if not times.size:
        return
    attrs = ckd.attrs
    try:
        start, end = (
            datetime.fromisoformat(attrs[f"validity_{edge}"].replace("Z", "+00:00"))
            for edge in ("start", "end")
        )
    except (KeyError, ValueError) as error:
        raise BadInput(
            f"{path}: expected ISO 8601 validity_start and validity_end, got {error}: make it again"
        ) from error
    first, last = float(times.min()), float(times.max())
    start, end = (edge if edge.tzinfo else edge.replace(tzinfo=UTC) for edge in (start, end))
    if first < start.timestamp() or last > end.timestamp():
        raise BadInput(
            f"{path}: expected a CKD valid from {_said(first)} to {_said(last)}, "
            f"got {attrs['validity_start']} to {attrs['validity_end']}: give the CKD of that time"
        )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _said(seconds: float) -> str:
    try:
        return f"{_utc(seconds):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):  # no year of the calendar
        return f"{seconds:g} s since 1970"


@contextmanager
def _opened(path: Path | str) -> Iterator[netCDF4.Dataset]:
    """Open for reading; whatever the library raises on a broken file becomes BadInput."""
    try:
        with netCDF4.Dataset(os.fspath(path)) as dataset:
            dataset.set_auto_mask(False)
            yield dataset
    except (OSError, RuntimeError) as error:
        raise BadInput(f"{path}: expected a whole netCDF-4 file, got {error}: make it again") from error


def _attributes(holder: Any) -> dict[str, Any]:
    return {name: holder.getncattr(name) for name in holder.ncattrs()}


def _values(variable: Any) -> np.ndarray:
    values = np.asarray(variable[...])
    fill = variable.__dict__.get("_FillValue")
    if fill is not None and values.dtype.kind == "f":
        values[values == fill] = np.nan
    return values


def write(
    path: Path | str,
    level: str,
    variables: Mapping[str, Any],
    attributes: Mapping[str, Any],
    parents: Sequence[Path | str] = (),
) -> None:
    """Write a product in one stroke (temporary file, then rename); NaN becomes the fill value.

    `attributes` adds to the global ones (scenario_hash, ckd_id, ...); only values and names go in, no clock.
    """
    path, icd = Path(path), table(level)
    arrays = _check(level, icd, variables)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    dataset = _create(path, temporary)
    try:
        with dataset:
            dataset.setncatts(_global_attributes(path, level, icd, arrays, attributes, parents))
            fills = {
                name: _define(dataset, name, values, icd["variables"]) for name, values in arrays.items()
            }
            for name, values in arrays.items():  # all are defined before: each change between costs a flush
                _put(dataset[name], values, fills[name])
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _create(path: Path, temporary: Path) -> netCDF4.Dataset:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return netCDF4.Dataset(os.fspath(temporary), "w", format="NETCDF4")
    except OSError as error:
        raise BadInput(f"{path}: expected a writable folder, got {error.strerror}: choose another") from error


def _check(level: str, icd: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the arrays in the order of the table, cast to its types, all dimensions agreeing."""
    unknown = sorted(set(variables) - set(icd["variables"]))
    missing = [
        name for name, row in icd["variables"].items() if name not in variables and not row.get("optional")
    ]
    if unknown or missing:
        raise ValueError(
            f"expected the variables of icd/{level}.yaml, got unknown {unknown}, missing {missing}"
        )
    sizes = dict(icd["dimensions"])
    arrays = {}
    for name, row in icd["variables"].items():
        if name not in variables:
            continue
        values = np.asarray(variables[name])
        if values.ndim != len(row["dims"]):
            raise ValueError(f"expected {name} with dimensions {row['dims']}, got shape {values.shape}")
        for dimension, size in zip(row["dims"], values.shape, strict=True):
            if sizes.setdefault(dimension, size) != size:
                raise ValueError(f"expected {name} with {dimension} = {sizes[dimension]}, got {size}")
        if row["dtype"][0] in "iu" and not np.all(np.isfinite(values)):
            raise ValueError(f"expected whole numbers for {name}, got NaN or infinity")
        arrays[name] = values.astype(row["dtype"])
    return arrays


def _define(dataset: netCDF4.Dataset, name: str, values: np.ndarray, rows: Mapping[str, Any]) -> Any:
    """Create a variable with its attributes; return its fill value."""
    row = rows[name]
    for dimension, size in zip(row["dims"], values.shape, strict=True):
        if dimension not in dataset.dimensions:
            dataset.createDimension(dimension, size)
    fill = _fill_value(row)
    variable = dataset.createVariable(
        name,
        values.dtype,
        row["dims"],
        fill_value=False if fill is None else fill,
        zlib=values.nbytes >= COMPRESS_FROM_BYTES and not row.get("noisy", False),
        complevel=1,
    )
    variable.setncatts(_variable_attributes(name, row, rows, dataset))
    return fill


def _put(variable: netCDF4.Variable, values: np.ndarray, fill: Any) -> None:
    if fill is not None and values.dtype.kind == "f" and (missing := np.isnan(values)).any():
        values = np.where(missing, np.asarray(fill, values.dtype), values)
    variable.set_auto_maskandscale(False)
    variable[...] = values


def _fill_value(row: Mapping[str, Any]) -> Any:
    """Fall back on netCDF's own fill for floats; integers have one only where the table names it."""
    default = netCDF4.default_fillvals[row["dtype"]] if row["dtype"].startswith("f") else None
    return row.get("fill", default)


def _variable_attributes(
    name: str, row: Mapping[str, Any], rows: Mapping[str, Any], dataset: netCDF4.Dataset
) -> dict[str, Any]:
    attributes = {key: row[key] for key in (*COPIED_KEYS, "flag_meanings") if key in row}
    attributes |= {key: np.asarray(row[key], row["dtype"]) for key in TYPED_KEYS if key in row}
    if "calendar" in row:
        attributes.setdefault("units_metadata", "leap_seconds: none")  # every time counts as Unix does
    if row["dims"] and row["dims"][0] == "sounding" and not (row.get("coordinate") or row.get("is_bounds")):
        placed = [key for key, value in rows.items() if value.get("coordinate") and key in dataset.variables]
        if placed:
            attributes["coordinates"] = " ".join(placed)
    return attributes


def _global_attributes(
    path: Path,
    level: str,
    icd: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    attributes: Mapping[str, Any],
    parents: Sequence[Path | str],
) -> dict[str, Any]:
    names = " ".join(Path(parent).name for parent in parents)
    return {
        **_load_yaml("global"),
        "title": icd["title"],
        "summary": icd["summary"],
        "id": path.stem,
        "product_level": level,
        "processing_level": level.upper(),
        "code_version": processors.__version__,
        "scenario_hash": "",
        "ckd_id": "",
        "parent_files": names,
        "history": f"processors {level} {processors.__version__}: made from {names or 'no file'}",
        **_coverage(arrays),
        **attributes,
    }


def _coverage(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Say in ACDD's words where and when the soundings are."""
    said: dict[str, Any] = {}
    for short, name in (("lat", "latitude"), ("lon", "longitude")):
        finite = arrays.get(name, np.empty(0))
        finite = finite[np.isfinite(finite)]
        if finite.size:
            said |= {f"geospatial_{short}_min": finite.min(), f"geospatial_{short}_max": finite.max()}
    time = arrays.get("time", np.empty(0))
    time = time[np.isfinite(time)]
    if time.size:
        said["time_coverage_start"], said["time_coverage_end"] = (
            _utc(float(edge)).strftime("%Y-%m-%dT%H:%M:%SZ") for edge in (time.min(), time.max())
        )
    return said
