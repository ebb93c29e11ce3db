"""Measure the truth's radiance: table build, time a scene, memory, error against sasktran2 everywhere.

Usage: python benchmarks/truth_radiance.py [TABLES_DIR]; set OMP_NUM_THREADS=1 as a run's workers do.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

from truth import radiance
from truth.config import Particles, TruthConfig
from truth.diffuse import diffuse, diffuse_over
from truth.ground import Ground
from truth.scene import sample
from truth.spectroscopy.continuum import read_cia
from truth.spectroscopy.tables import prepare

AEROSOL = (Particles("sulphate", 0.12, 1500.0, 1000.0), Particles("sea_salt", 0.05, 700.0, 500.0))
DUST = (Particles("dust", 0.3, 2500.0, 1200.0),)
CIRRUS = Particles("ice", 0.15, 11_000.0, 700.0)
CASES = (  # SZA, VZA, what the scene is like
    (30.0, 30.0, TruthConfig(surface="ocean")),
    (60.0, 58.0, TruthConfig(surface="ocean")),
    (45.0, 10.0, TruthConfig(surface="soil")),
    (65.0, 20.0, TruthConfig(surface="vegetation")),
    (35.0, 35.0, TruthConfig(surface="ocean", aerosol=AEROSOL)),
    (40.0, 10.0, TruthConfig(surface="desert", aerosol=DUST)),
    (65.0, 20.0, TruthConfig(surface="vegetation", aerosol=AEROSOL, cirrus=CIRRUS)),
)
RANDOM_POINTS = 100


def scene(sza_deg: float, vza_deg: float, config: TruthConfig, count: int) -> xr.Dataset:
    """Repeat one geometry at the specular azimuth along a line of footprints."""
    latitude = 20.0 + 0.08 * np.arange(count)
    corners = np.array([[-0.04, -0.02], [-0.04, 0.02], [0.04, 0.02], [0.04, -0.02]])
    values = {
        "latitude": latitude,
        "longitude": np.full(count, -150.0),
        "time": np.full(count, 1.782e9),
        "solar_zenith_angle": np.full(count, sza_deg),
        "sensor_zenith_angle": np.full(count, vza_deg),
        "solar_azimuth_angle": np.full(count, 10.0),
        "sensor_azimuth_angle": np.full(count, 190.0),
        "sensor_recession_speed": np.full(count, 2000.0),
        "sun_recession_speed": np.full(count, 300.0),
        "earth_sun_distance": np.full(count, 1.01),
        "sounding_id": np.arange(count),
    }
    geometry = xr.Dataset({name: ("sounding", value) for name, value in values.items()})
    geometry["vertex_latitude"] = (("sounding", "vertex"), latitude[:, None] + corners[:, 0])
    geometry["vertex_longitude"] = (("sounding", "vertex"), -150.0 + np.tile(corners[:, 1], (count, 1)))
    return sample(geometry, config, seed=1)


def errors(tables_dir: Path, scenes: xr.Dataset, config: TruthConfig) -> None:
    """Print the error of the diffuse light over the brightest point; solved with all layers."""
    tables = prepare(tables_dir, radiance.DATA, radiance.DATA / "partition_sums.csv")
    cia, rng = read_cia(radiance.DATA / "cia_v1.csv"), np.random.default_rng(1)
    common = radiance.Sounding.of(scenes.isel(sounding=0), config)
    for index, name in enumerate(radiance.BAND_ORDER):
        ground = Ground.of(common.scene, index, config)
        _, medium, fineness = next(iter(radiance.skies(common, tables[name], cia, ground)))
        ours = radiance.reflected(medium, common.geometry, ground, fineness)
        some = rng.choice(len(ours), RANDOM_POINTS, replace=False)
        fitted = diffuse(medium, common.geometry, ground, fineness)[some]
        solved = diffuse_over(medium.at(some), common.geometry, ground, fineness.streams)
        error = (fitted - solved) / ours.max()
        rms, worst = np.sqrt(np.mean(error**2)), np.abs(error).max()
        print(f"    {name}: rms {rms:.1e} worst {worst:.1e}, diffuse {fitted.max() / ours.max():.4f}")


def main(tables_dir: Path) -> None:
    start = time.perf_counter()
    prepare(tables_dir, radiance.DATA, radiance.DATA / "partition_sums.csv")
    print(f"tables: {time.perf_counter() - start:.1f} s")
    for sza_deg, vza_deg, config in CASES:
        scenes = scene(sza_deg, vza_deg, config, 6)
        radiance.radiances(scenes.isel(sounding=[0]), tables_dir, config)
        wall, cpu = time.perf_counter(), time.process_time()
        radiance.radiances(scenes, tables_dir, config)
        wall, cpu = (time.perf_counter() - wall) / 6.0, (time.process_time() - cpu) / 6.0
        layers = [each.type for each in config.aerosol] + ["cirrus"] * (config.cirrus is not None)
        title = f"SZA {sza_deg} VZA {vza_deg} {config.surface} {' '.join(layers)}"
        print(f"{title}: {wall:.3f} s wall, {cpu:.3f} s CPU a four-band scene", flush=True)
        errors(tables_dir, scenes, config)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak_mb:.0f} MB (mapped tables in)")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
