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

from truth import radiance, rayleigh, surface
from truth.config import TruthConfig
from truth.diffuse import sasktran2_radiance
from truth.layers import layers
from truth.scattering import Geometry, two_way_depth
from truth.scene import sample
from truth.spectroscopy.continuum import read_cia
from truth.spectroscopy.tables import prepare

CASES = ((30.0, 30.0, "ocean"), (60.0, 58.0, "ocean"), (45.0, 10.0, "soil"), (65.0, 20.0, "vegetation"))
REFERENCE_STREAMS = 24
RANDOM_POINTS = 100


def scene(sza_deg: float, vza_deg: float, kind: str, count: int) -> xr.Dataset:
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
    return sample(geometry, TruthConfig(surface=kind), seed=1)


def errors(tables_dir: Path, sza_deg: float, vza_deg: float, kind: str) -> None:
    """Print the error of one scene's radiance over its brightest point."""
    tables = prepare(tables_dir, radiance.DATA, radiance.DATA / "partition_sums.csv")
    cia, rng = read_cia(radiance.DATA / "cia_v1.csv"), np.random.default_rng(1)
    column = layers(scene(sza_deg, vza_deg, kind, 1).isel(sounding=0))
    geometry = Geometry.at(sza_deg, vza_deg, 180.0, column.altitude_m)
    for index, name in enumerate(radiance.BAND_ORDER):
        absorption, scattering = radiance.optical_depths(tables[name], cia, column)
        some = rng.choice(absorption.shape[1], RANDOM_POINTS, replace=False)
        some[0] = absorption.sum(axis=0).argmin()
        albedo = float(surface.albedo(kind)[index])
        glint = float(surface.cox_munk_reflectance(sza_deg, vza_deg, 180.0, 7.0))
        beam = glint if kind == "ocean" else albedo
        ours = radiance.reflected(tables[name], cia, column, geometry, (beam, albedo), TruthConfig())[some]
        second = rayleigh.legendre_second(tables[name].wavenumber_cm1)[some]
        optics = absorption[:, some], scattering[:, some]
        theirs = sasktran2_radiance(*optics, geometry, second, albedo, REFERENCE_STREAMS)
        if kind == "ocean":
            depth = two_way_depth(optics[0] + optics[1], geometry)[-1]
            theirs += np.cos(np.radians(sza_deg)) * glint / np.pi * np.exp(-depth)
        error = (ours - theirs) / theirs.max()
        rms, worst = np.sqrt(np.mean(error**2)), np.abs(error).max()
        print(f"SZA {sza_deg} VZA {vza_deg} {kind:10s} {name}: rms {rms:.1e} worst {worst:.1e}")


def main(tables_dir: Path) -> None:
    start = time.perf_counter()
    prepare(tables_dir, radiance.DATA, radiance.DATA / "partition_sums.csv")
    print(f"tables: {time.perf_counter() - start:.1f} s")
    for sza_deg, vza_deg, kind in CASES:
        scenes = scene(sza_deg, vza_deg, kind, 12)
        radiance.radiances(scenes.isel(sounding=[0]), tables_dir, TruthConfig())
        wall, cpu = time.perf_counter(), time.process_time()
        radiance.radiances(scenes, tables_dir, TruthConfig())
        wall, cpu = (time.perf_counter() - wall) / 12.0, (time.process_time() - cpu) / 12.0
        print(f"SZA {sza_deg} VZA {vza_deg} {kind}: {wall:.3f} s wall, {cpu:.3f} s CPU a four-band scene")
        errors(tables_dir, sza_deg, vza_deg, kind)
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB (mapped tables in)"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
