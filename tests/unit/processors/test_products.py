"""Products: what the tables say is what stands in the file, whole or not at all."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import yaml

from processors import products
from processors.job import BadInput

LEVELS = ("l1b", "l2", "prior")
SIZES = {"sounding": 3, "vertex": 4, "band": 4, "spectel": 1024, "level": 20, "particle": 3}
# OCO-2 Lite B11 data user's guide
LITE_NAMES = """xco2 xco2_uncertainty xco2_apriori xco2_averaging_kernel pressure_weight pressure_levels
co2_profile_apriori xco2_quality_flag sounding_id latitude longitude time vertex_latitude vertex_longitude
solar_zenith_angle sensor_zenith_angle"""
MID_2026 = 1_780_000_000.0  # s since 1970: 2026-05-28T20:26:40Z, by `date -u -d @1780000000`


def filled(level: str) -> dict[str, np.ndarray]:
    """Give every variable of a level other numbers."""
    generator = np.random.default_rng(7)
    variables = {}
    for name, row in products.table(level)["variables"].items():
        shape = [SIZES[dimension] for dimension in row["dims"]]
        variables[name] = (
            generator.integers(0, 2, shape) if row["dtype"][0] == "i" else generator.random(shape)
        )
    if "time" in variables:
        variables["time"] = MID_2026 + np.arange(3)
    return variables


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "product.nc"


@pytest.mark.parametrize("level", LEVELS)
def test_round_trip_is_exact(path, level):
    variables = filled(level)
    products.write(path, level, variables, {"ckd_id": "ckd-1"}, ["/far/away/parent.nc"])
    again = products.read(path, level=level)
    assert set(again) == set(variables)
    for name, row in products.table(level)["variables"].items():
        assert again[name].dtype == np.dtype(row["dtype"])
        np.testing.assert_array_equal(again[name], variables[name].astype(row["dtype"]))


@pytest.mark.parametrize("level", LEVELS)
def test_every_variable_says_what_it_is(path, level):
    products.write(path, level, filled(level), {})
    with netCDF4.Dataset(path) as dataset:
        for name, variable in dataset.variables.items():
            row = products.table(level)["variables"][name]
            attributes = set(variable.ncattrs())
            assert row.get("is_bounds") or "long_name" in attributes, name
            assert {"units"} & attributes or row["dtype"][0] == "i" or row.get("is_bounds"), name
            assert variable.dimensions == tuple(row["dims"])
            for bound in ("valid_range", "flag_values", "flag_masks"):
                assert bound not in attributes or variable.getncattr(bound).dtype == variable.dtype


def test_spectra_point_to_time_and_place(path):
    products.write(path, "l1b", filled("l1b"), {})
    with netCDF4.Dataset(path) as dataset:
        assert dataset["radiance"].coordinates == "time latitude longitude"
        assert "coordinates" not in dataset["latitude"].ncattrs()
        assert dataset["latitude"].bounds == "vertex_latitude"


def test_tables_without_rows_come_back_empty(path):
    rows = products.table("l0")["variables"]
    products.write(path, "l0", {name: np.zeros([0 for _ in row["dims"]]) for name, row in rows.items()}, {})
    again = products.read(path, level="l0")
    for name, row in rows.items():
        assert again[name].shape == (0,) * len(row["dims"])
        assert again[name].dtype == np.dtype(row["dtype"])


def test_provenance_stands_in_the_file(path):
    products.write(
        path, "l1b", filled("l1b"), {"ckd_id": "ckd-1", "scenario_hash": "abc"}, ["/a/b.nc", "c.nc"]
    )
    attrs = products.read(path, ()).attrs
    assert attrs["Conventions"] == "CF-1.11, ACDD-1.3"
    assert (attrs["ckd_id"], attrs["scenario_hash"], attrs["parent_files"]) == ("ckd-1", "abc", "b.nc c.nc")
    assert attrs["source"] == "simulation"
    assert "simulation" in attrs["title"]
    assert attrs["time_coverage_start"] == "2026-05-28T20:26:40Z"
    assert attrs["time_coverage_end"] == "2026-05-28T20:26:42Z"
    assert "/a" not in attrs["history"]


def test_not_a_number_is_the_fill_value_in_the_file(path):
    variables = filled("l2")
    variables["xco2"][1] = np.nan
    products.write(path, "l2", variables, {})
    with netCDF4.Dataset(path) as dataset:
        assert list(np.ma.getmaskarray(dataset["xco2"][:])) == [False, True, False]
    assert list(np.isnan(products.read(path)["xco2"])) == [False, True, False]


def test_same_values_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        products.write(tmp_path / folder / "p.nc", "l2", filled("l2"), {}, [tmp_path / folder / "parent.nc"])
    assert (tmp_path / "one" / "p.nc").read_bytes() == (tmp_path / "two" / "p.nc").read_bytes()


def test_l2_table_holds_the_lite_names():
    assert set(LITE_NAMES.split()) <= set(products.table("l2")["variables"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"xco3": np.zeros(3)}, "unknown ['xco3']"),
        ({"xco2": None}, "missing ['xco2']"),
        ({"xco2": np.zeros((3, 1))}, "expected xco2 with dimensions ['sounding'], got shape (3, 1)"),
        ({"sounding_id": np.full(3, np.nan)}, "expected whole numbers for sounding_id, got NaN"),
        ({"xco2": np.zeros(4)}, "expected xco2 with sounding = 3, got 4"),
        ({"pressure_weight": np.zeros((3, 19))}, "expected pressure_weight with level = 20, got 19"),
    ],
)
def test_variables_that_do_not_fit_the_table_are_refused(path, change, said):
    variables = {name: values for name, values in (filled("l2") | change).items() if values is not None}
    with pytest.raises(ValueError, match=re.escape(said)):
        products.write(path, "l2", variables, {})
    assert list(path.parent.iterdir()) == []


def test_optional_variables_may_be_absent(path):
    variables = filled("l2")
    del variables["albedo"]
    products.write(path, "l2", variables, {})
    assert "albedo" not in products.read(path)


def test_failed_write_leaves_the_old_product_alone(path, monkeypatch):
    products.write(path, "l2", filled("l2"), {})
    before = path.read_bytes()

    def full_disk(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(products, "_put", full_disk)
    with pytest.raises(OSError, match="no space"):
        products.write(path, "l2", filled("l2"), {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_unwritable_folder_is_bad_input(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="expected a writable folder"):
        products.write(tmp_path / "file" / "p.nc", "l2", filled("l2"), {})


def test_wrong_level_and_missing_variable_are_bad_input(path):
    products.write(path, "l2", filled("l2"), {})
    with pytest.raises(BadInput, match="expected a product of level l1b, got l2"):
        products.read(path, level="l1b")
    with pytest.raises(BadInput, match="expected variable radiance, got none"):
        products.read(path, ["radiance"])


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_truncated_file_is_bad_input(path, kept):
    products.write(path, "l1b", filled("l1b"), {})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(BadInput, match="expected a whole netCDF-4 file"):
        products.read(path)


def deflated(content: bytes) -> int:
    """Find the first large deflated chunk of a file."""
    at = content.find(b"x\x01")
    while at >= 0:
        try:
            if len(zlib.decompressobj().decompress(content[at:])) >= products.COMPRESS_FROM_BYTES // 4:
                return at
        except zlib.error:
            pass
        at = content.find(b"x\x01", at + 1)
    raise AssertionError("expected a deflated chunk, got none")


def test_damaged_chunk_is_bad_input(path):
    """Zeroes over deflated spectra, the file's length kept."""
    products.write(path, "l1b", filled("l1b"), {})
    whole = bytearray(path.read_bytes())
    at = deflated(bytes(whole)) + 20
    whole[at : at + 500] = bytes(500)
    path.write_bytes(bytes(whole))
    with pytest.raises(BadInput, match="expected a whole netCDF-4 file"):
        products.read(path)


def test_name_holds_simulation_level_time_and_granule():
    name = products.product_name("l2", MID_2026, 12)
    assert name == "co2twin_SIMULATION_L2_20260528T202640Z_0012.nc"


def ckd_file(path: Path, **attributes) -> Path:
    given = {
        "ckd_version": np.int32(1),
        "validity_start": "2026-01-01T00:00:00Z",
        "validity_end": "2027-01-01",
    }
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({key: value for key, value in (given | attributes).items() if value is not None})
        dataset.createDimension("band", 4)
        group = dataset.createGroup("noise")
        group.uncertainty = "1 %"
        group.createVariable("read_noise", "f8", ("band",))[:] = [1.0, 2.0, 3.0, 4.0]
        group.createVariable("rows", "i4", ())[...] = 40
    return path


def test_groups_of_the_ckd(path):
    ckd = products.read_ckd(ckd_file(path), np.array([MID_2026]))
    np.testing.assert_array_equal(ckd["noise"]["read_noise"], [1.0, 2.0, 3.0, 4.0])
    assert ckd["noise"]["rows"] == 40
    assert ckd["noise"].attrs == {"uncertainty": "1 %"}
    assert ckd.attrs["ckd_version"] == 1


@pytest.mark.parametrize("version", [0, 2, None])
def test_wrong_ckd_version_is_bad_input(path, version):
    with pytest.raises(BadInput, match=f"wrong CKD version: expected ckd_version 1, got {version}"):
        products.read_ckd(ckd_file(path, ckd_version=version))


@pytest.mark.parametrize(("seconds", "fits"), [(-1, False), (0, True)])
def test_validity_starts_to_the_second(path, seconds, fits):
    start = 1_767_225_600.0  # 2026-01-01T00:00:00Z
    check_validity(path, np.array([start + seconds, MID_2026]), fits)


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (1, False)])
def test_validity_ends_to_the_second(path, seconds, fits):
    end = 1_798_761_600.0  # 2027-01-01T00:00:00Z
    check_validity(path, np.array([MID_2026, end + seconds]), fits)


def check_validity(path: Path, times: np.ndarray, fits: bool) -> None:
    if fits:
        products.read_ckd(ckd_file(path), times)
    else:
        with pytest.raises(BadInput, match="expected a CKD valid from"):
            products.read_ckd(ckd_file(path), times)


@pytest.mark.parametrize("start", ["soon", None])
def test_unreadable_validity_is_bad_input(path, start):
    with pytest.raises(BadInput, match="expected ISO 8601 validity_start"):
        products.read_ckd(ckd_file(path, validity_start=start), np.array([MID_2026]))


def test_tables_are_plain_data():
    for table in sorted(products.ICD.glob("*.yaml")):
        assert isinstance(yaml.safe_load(table.read_text()), dict), table
