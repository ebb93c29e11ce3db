"""L1B as a program on files: what is kept, flagged and refused."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import yaml

from processors import __main__ as program
from processors import products
from processors.l1b import calibration, quality

CKD = yaml.safe_load((products.ICD / "ckd.yaml").read_text())
SIZES = {**CKD["dimensions"], "offset": 11}
CEILING = 40 * 16383
single_precision = 1e-6
TIME = 1_780_000_000.0  # s since 1970, 2026


def ckd_values() -> dict[str, np.ndarray]:
    """Numbers for what L1B reads, keyed group/variable; responsivity tells bands and fields of view apart."""
    cube, pair = (4, 3, 1024), (4, 3)
    apart = 10.0 * np.arange(1, 5)[:, None] + np.arange(1, 4)
    return {
        "dark/offset": np.full(cube, 4000.0),
        "dark/dark_rate": np.full(cube, 2000.0),
        "noise/read_noise": np.full(pair, 85.0),
        "noise/rows": np.array(40),
        "readout/electron_per_dn": np.full(pair, 2.0),
        "readout/full_scale_dn": np.array(16383),
        "readout/integration_time": np.array(1.5),
        "nonlinearity/coefficient": np.zeros((4, 3, 1)),
        "prnu/prnu": np.ones(cube),
        "radiometric/responsivity": np.broadcast_to(apart[..., None], cube),
        "spectral/dispersion": np.broadcast_to([1600.0, 0.02, 0.0], (4, 3, 3)) + apart[..., None] * [1, 0, 0],
    }


def write_ckd(path: Path, version: int = 1, without: str = "", **change: np.ndarray) -> Path:
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({"ckd_id": "ckd-7", "ckd_version": np.int32(version)})
        dataset.setncatts({"validity_start": "2025-01-01T00:00:00Z", "validity_end": "2035-01-01T00:00:00Z"})
        for name, size in SIZES.items():
            dataset.createDimension(name, size)
        for key, values in {**ckd_values(), **change}.items():
            group, name = key.split("/")
            if key != without:
                dims = CKD["groups"][group][name]["dims"]
                variable = dataset.createGroup(group).createVariable(name, values.dtype, dims)
                variable[...] = values
    return path


def l1a_values(soundings: int = 3) -> dict[str, np.ndarray]:
    sizes = {"sounding": soundings, "vertex": 4, "band": 4, "spectel": 1024}
    rows = products.table("l1a")["variables"]
    values = {
        name: np.zeros([sizes[d] for d in row["dims"]], row["dtype"])
        for name, row in rows.items()
        if set(row["dims"]) <= set(sizes)
    }
    values["time"] = TIME + np.arange(soundings)
    values["fov"] = np.arange(soundings) % 3 + 1
    values["sounding_id"] = 100_000_000_000 + np.arange(soundings) // 3 * 10 + values["fov"]
    values["dn"] = np.full((soundings, 4, 1024), 30_000)
    return values


def prepared(folder: Path, l1a: dict | None = None, settings: dict | None = None, **ckd) -> Path:
    """Write inputs and a job order with two granules."""
    for name in ("a", "b"):
        products.write(folder / f"l1a_{name}.nc", "l1a", l1a or l1a_values(), {})
    order = {
        "step": "l1b",
        "inputs": {
            "l1a": [str(folder / "l1a_a.nc"), str(folder / "l1a_b.nc")],
            "ckd": str(write_ckd(folder / "ckd.nc", **ckd)),
        },
        "outputs": {"l1b": [str(folder / "out" / "l1b_a.nc"), str(folder / "out" / "l1b_b.nc")]},
        "settings": settings or {},
        "scenario_hash": "abc",
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(order))
    return folder / "job.yaml"


def run(job: Path) -> int:
    return program.main(["l1b", str(job)])


def test_radiance_of_each_band_and_field_of_view(tmp_path):
    """(30000 DN - 4000) * 2 e/DN - 2000 e/s * 1.5 s = 49 000 e, over responsivity 10 * band + fov."""
    assert run(prepared(tmp_path)) == program.DONE
    for name in ("a", "b"):
        l1b = products.read(tmp_path / "out" / f"l1b_{name}.nc", level="l1b")
        apart = 10.0 * np.arange(1, 5) + np.arange(1, 4)[:, None]
        expected = np.broadcast_to((49_000.0 / apart)[..., None], (3, 4, 1024))
        np.testing.assert_allclose(l1b["radiance"], expected, rtol=single_precision)
        sigma = np.sqrt(52_000.0 + 85.0**2 + 40 / 12 * 4) / apart
        np.testing.assert_allclose(l1b["radiance_uncertainty"][..., 0], sigma, rtol=single_precision)
        np.testing.assert_allclose(l1b["wavelength"][..., 0], 1600.0 + apart - 0.02 * 511.5, rtol=1e-12)
        assert not l1b["spectel_quality"].any()


def test_soundings_and_provenance_are_handed_on(tmp_path):
    l1a = l1a_values()
    l1a["latitude"][:] = [1.25, 2.5, 3.75]
    run(prepared(tmp_path, l1a))
    l1b = products.read(tmp_path / "out" / "l1b_a.nc")
    for name in products.table("l1b")["shared"]:
        np.testing.assert_array_equal(l1b[name], l1a[name])
    assert (l1b.attrs["ckd_id"], l1b.attrs["scenario_hash"]) == ("ckd-7", "abc")
    assert l1b.attrs["parent_files"] == "l1a_a.nc ckd.nc"


def test_order_of_soundings_changes_nothing(tmp_path):
    l1a = l1a_values(6)
    l1a["dn"] = np.random.default_rng(3).integers(5000, 600_000, l1a["dn"].shape)
    backwards = {name: values[::-1] for name, values in l1a.items()}
    (tmp_path / "forth").mkdir(), (tmp_path / "back").mkdir()
    run(prepared(tmp_path / "forth", l1a))
    run(prepared(tmp_path / "back", backwards))
    forth, back = (products.read(tmp_path / side / "out" / "l1b_a.nc") for side in ("forth", "back"))
    for name in forth:
        np.testing.assert_array_equal(forth[name], back[name][::-1])


def test_missing_band_is_empty_and_flagged(tmp_path):
    l1a = l1a_values()
    l1a["band_missing"][1, 2] = 1
    run(prepared(tmp_path, l1a))
    l1b = products.read(tmp_path / "out" / "l1b_a.nc")
    assert np.isnan(l1b["radiance"][1, 2]).all()
    assert np.isnan(l1b["radiance_uncertainty"][1, 2]).all()
    assert (l1b["spectel_quality"][1, 2] == quality.MISSING).all()
    assert np.isfinite(l1b["radiance"]).sum() == (12 - 1) * 1024


@pytest.mark.parametrize(
    ("dn", "any_row", "flagged"),
    [
        (CEILING - 1, 0, False),
        (CEILING, 0, True),
        (CEILING, 1, True),
        (0.9 * CEILING - 1, 1, False),
        (0.9 * CEILING + 1, 1, True),
    ],
)
def test_saturation_starts_at_the_ceiling_or_near_it_with_a_saturated_row(dn, any_row, flagged):
    counts = np.full((1, 4, 8), dn)
    found = quality.saturated(counts, np.full((1, 4), any_row), CEILING, 0.9)
    assert found.all() == flagged
    assert found.any() == flagged


def test_saturated_spectels_are_flagged_in_the_product(tmp_path):
    l1a = l1a_values()
    l1a["dn"][0, 3, 100:103] = CEILING
    l1a["saturated"][0, 3] = 1
    run(prepared(tmp_path, l1a))
    found = products.read(tmp_path / "out" / "l1b_a.nc")["spectel_quality"]
    assert list(zip(*np.nonzero(found == quality.SATURATED), strict=True)) == [
        (0, 3, s) for s in (100, 101, 102)
    ]


def test_dead_calibration_is_flagged(tmp_path):
    prnu = np.ones((4, 3, 1024))
    prnu[1, 2, 7] = 0.0
    run(prepared(tmp_path, **{"prnu/prnu": prnu}))
    found = products.read(tmp_path / "out" / "l1b_a.nc")["spectel_quality"]
    assert list(zip(*np.nonzero(found), strict=True)) == [(2, 1, 7)]
    assert found[2, 1, 7] == quality.BAD_CALIBRATION


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "wrong CKD version: expected ckd_version 1, got 2"),
        ({"without": "prnu/prnu"}, "expected CKD variable prnu/prnu, got none"),
        ({"settings": {"saturation": 1.0}}, "did you mean 'saturation_fraction'?"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_written(tmp_path, capsys, change, said):
    assert run(prepared(tmp_path, **change)) == program.BAD_INPUT
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_field_of_view_outside_the_ckd_is_refused():
    ckd = products.Groups(
        {
            group: products.Product(
                {k.split("/")[1]: v for k, v in ckd_values().items() if k.startswith(group)}, {}
            )
            for group in {key.split("/")[0] for key in ckd_values()}
        },
        {},
    )
    calibration.of_soundings(ckd, np.array([1, 3]), Path("ckd.nc"))
    for fov in (0, 4):
        with pytest.raises(calibration.BadInput, match="expected a CKD for fields of view"):
            calibration.of_soundings(ckd, np.array([1, fov]), Path("ckd.nc"))
