"""Run one task of the chain as a program: `python -m twin.worker TASK JOB.yaml`, files in, files out.

The working directory is the run directory. Exit code 0 done, 2 the scenario cannot be, 1 otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from twin import chain, scenario
from twin.errors import BadInput

if TYPE_CHECKING:
    import xarray as xr

DATA = "data"  # folder of truth's figures
COPIES = {  # what the ground is given, of truth's own files
    "solar_lines_v1.csv": "solar_lines.csv",
    "solar_continuum.csv": "solar_continuum.csv",
}
PARTICLES = "particles.csv"  # what the ground takes particles for; nature's are in truth/data
PER_GRANULE = chain.FOVS * chain.FRAMES_A_GRANULE  # soundings
Order = dict[str, Any]


def main(arguments: list[str]) -> int:
    task, job = arguments
    order = yaml.safe_load(Path(job).read_text(encoding="utf-8"))
    variants = {v.name: v for v in chain.variants(scenario.restore(Path("scenario.json")))}
    try:
        TASKS[task](order, variants)
    except BadInput as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def plan(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write the plan of a mission and its command packets."""
    from twin import flight

    flight.plan(variants[""].scenario, Path(order["folder"]))


def orbit(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write the true viewing geometry of every variant, and time, boot and first frame of each granule."""
    asked = variants[""].scenario
    try:
        geometry = _observed(asked)
    except ValueError as error:  # the Sun is down there, or the orbit is none
        raise BadInput(str(error)) from error
    for variant in variants.values():
        if not variant.fault:
            rows = variant.granules * PER_GRANULE
            write(geometry.isel(sounding=slice(0, rows)), variant.path("geometry.nc"))
    first = geometry.isel(sounding=slice(0, None, PER_GRANULE))
    columns = (first["time"].values, first["sounding_id"].values // 10**11, first["frame"].values)
    names = ("start_unix_s", "boot", "first_frame")
    told = [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in columns), strict=True)]
    Path(chain.GRANULES).write_text(json.dumps({"granules": told}) + "\n")


def _observed(asked: scenario.Scenario) -> xr.Dataset:
    """Look from the orbit at an observation, or at the full data of a mission."""
    if asked.mission is None:
        from twin.mission import pointing

        return pointing.observe(asked)
    from twin import flight, fulldata

    flight.track(asked).to_csv("track.csv", index=False)
    return fulldata.observe(asked, flight.granules(asked))


def events(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write the log of everything that happened on board and on the ground."""
    asked = variants[""].scenario
    if asked.mission is not None:
        from twin import flight

        flight.fly(asked).to_csv(Path("events.csv"))
        return
    from twin.events import world

    variant = variants[order["variant"]]
    try:
        log = world.simulate(asked, read(variant.path("geometry.nc")))  # one flight for all
    except ValueError as error:  # no station sees the satellite
        raise BadInput(str(error)) from error
    log.to_csv(variant.path("events.csv"))


def truth(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write scene and monochromatic radiance of each granule of the order."""
    from truth import co2_files, radiance, scene
    from truth.config import TruthConfig

    for variant, granule, geometry in granules(order, variants):
        config = TruthConfig.of(variant.scenario.truth.model_dump())
        try:
            sampled = scene.sample(geometry, config, variant.scenario.seed)
        except co2_files.UnusableFile as error:
            raise BadInput(f"truth.co2_file: {error}") from error
        spectra = radiance.radiances(sampled, Path(order["tables"]), config)
        lines = {name: value for name, value in spectra.attrs.items() if name.startswith("line_")}
        write(sampled.assign_attrs(lines), variant.path("truth/scene_{:04d}.nc", granule))
        write(spectra, variant.path("truth/radiance_{:04d}.nc", granule))


def instrument(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write the row sums of each granule of the order."""
    from twin.instrument import asbuilt, expose

    built = asbuilt.load(variants[""].scenario.instrument.name)
    for variant, granule, geometry in granules(order, variants):
        asked = variant.scenario
        spectra = read(variant.path("truth/radiance_{:04d}.nc", granule))
        dn = expose.expose(spectra, geometry, built, noise=asked.instrument.noise, seed=asked.seed)
        write(dn, variant.path("truth/dn_{:04d}.nc", granule))


def telemetry(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write the CADU files of the passes of each variant, their manifests and the list of packets sent."""
    for name in order["variants"]:
        send(variants[name], variants[""].scenario)  # one flight for all


def send(variant: chain.Variant, asked: scenario.Scenario) -> None:
    import xarray as xr

    parts = [read(variant.source("truth/dn_{:04d}.nc", g)) for g in range(variant.granules)]
    exposed = xr.concat(parts, dim="sounding", data_vars="minimal")
    geometry = read(variant.source("geometry.nc"))
    folder = variant.path("l0_stream")
    if asked.mission is not None:
        from twin import flight

        sent, numbers = flight.send(asked, exposed, geometry, folder)
        told: dict[str, Any] = {"passes": numbers}
    else:
        sent, told = _send_pass(variant, asked, exposed, geometry, folder)
    sent.to_csv(variant.path("sent_packets.csv"), index=False)
    variant.path(chain.SENT).write_text(json.dumps(told) + "\n")


def _send_pass(
    variant: chain.Variant, asked: scenario.Scenario, exposed: xr.Dataset, geometry: xr.Dataset, folder: Path
) -> tuple[Any, dict[str, Any]]:
    """Send an observation, with the fault of the variant on its way."""
    import numpy as np

    from twin.events.log import EventLog
    from twin.mission import knowledge
    from twin.telemetry import packets, sending

    log = EventLog.read_csv(variant.source("events.csv"))
    downlinked, levels = log.frames_downlinked, log.memory_level_bits
    arrived = np.isin(exposed["sounding_id"].values // 10 % 10**10, downlinked)
    observed = sending.Observed(
        exposed.isel(sounding=arrived),
        geometry,
        knowledge.ephemeris(asked, knowledge.packet_times(asked)),
        packets.Housekeeping(memory_level_kbit=np.array([levels[n] for n in downlinked]) // 1000),
    )
    fault = variant.fault or sending.NOTHING
    contact = sending.Contact(*log.station_pass)
    sent, touched, passes = sending.send(observed, contact, folder, asked.seed, fault)
    numbers = list(range(1, passes + 1))
    return sent, {"passes": numbers, "touched": sorted(touched)}


def auxiliary(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write truth.nc and what the ground is given: calibration, prior and spectroscopy files."""
    import truth as nature
    from truth.scene import write_truth
    from twin import prior, provenance, spectroscopy
    from twin.instrument import asbuilt, ckd

    variant = variants[""]
    asked = variant.scenario
    scenes = [read(variant.path("truth/scene_{:04d}.nc", g)) for g in range(variant.granules)]
    write_truth(scenes, Path("truth.nc"))
    prior.write(Path("prior.nc"), scenes, asked.prior, asked.seed)
    ckd.write(Path("ckd.nc"), asbuilt.load(asked.instrument.name), asked.knowledge_error, asked.seed)
    source = Path(nature.__file__).parent / DATA
    spectroscopy.write(Path("aux"), provenance.line_directory(asked), source, asked.spectroscopy)
    copy_given(Path("aux"))
    leap_seconds(Path("aux/leap_seconds.csv"))
    for faulty in variants.values():
        for name in faulty.fault.own_inputs if faulty.fault else ():
            faulty.root.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(f"{name}.nc", faulty.path(f"{name}.nc"))


def copy_given(folder: Path) -> None:
    """Copy what the ground is given as it is: solar tables of truth, and what it takes particles for."""
    import truth as nature

    for name, given in COPIES.items():
        shutil.copyfile(Path(nature.__file__).parent / DATA / name, folder / given)
    shutil.copyfile(Path(__file__).parent / DATA / PARTICLES, folder / PARTICLES)


def leap_seconds(path: Path) -> None:
    from twin.timecodes import LEAP_SECONDS

    rows = [f"{start},{offset}" for start, offset in LEAP_SECONDS]
    path.write_text("\n".join(["utc_start,gps_minus_utc_s", *rows]) + "\n")


def ground(order: Order, variants: dict[str, chain.Variant]) -> None:
    """Write when each sounding reaches its users, with service times measured in this run."""
    from twin.events import groundsegment, latency, service
    from twin.events.log import EventLog

    asked = variants[""].scenario
    workers = asked.mission.workers if asked.mission else 1
    log = EventLog.read_csv("events.csv")
    rates = service.measured(Path())
    products = groundsegment.process(log, rates, workers)
    products.to_csv("dissemination.csv")
    told: dict[str, Any] = {"figures": latency.figures(log, products) | _planned(), "workers": workers}
    told["service"] = {name: {"start_s": r.start_s, "each_s": r.each_s} for name, r in rates.rates.items()}
    Path("operations.json").write_text(json.dumps(told, indent=1) + "\n")


def _planned() -> dict[str, Any]:
    """Give the figures of the plan that was flown, none where nothing was planned."""
    from twin.mission.timeline import Timeline

    if not Path("timeline.json").exists():
        return dict.fromkeys(("requests_served", "requests_not_served", "plan_gap"))
    plan = Timeline.restore(Path("timeline.json").read_text(encoding="utf-8"))
    served = {activity.request for activity in plan.activities if activity.request}
    return {
        "requests_served": len(served),
        "requests_not_served": len(plan.unserved),
        "plan_gap": plan.gap,
    }


def verify(order: Order, variants: dict[str, chain.Variant]) -> None:
    from twin.verify.score import score

    score(Path(), variants[""].scenario)


def report(order: Order, variants: dict[str, chain.Variant]) -> None:
    from twin.report.html import write as write_report

    write_report(Path())


def granules(
    order: Order, variants: dict[str, chain.Variant]
) -> Iterator[tuple[chain.Variant, int, xr.Dataset]]:
    """Give the granules of the order that still lack a file, with their rows of geometry.nc."""
    whole: dict[str, xr.Dataset] = {}
    for name, granule in order["granules"]:
        variant = variants[name]
        if all(variant.path(output, granule).exists() for output in order["outputs"]):
            continue
        if name not in whole:
            whole[name] = read(variant.path("geometry.nc"))
        first = granule * PER_GRANULE
        yield variant, granule, whole[name].isel(sounding=slice(first, first + PER_GRANULE))


def read(path: Path) -> xr.Dataset:
    """Load a dataset with its times left as numbers."""
    import xarray as xr

    with xr.open_dataset(path, decode_times=False) as dataset:
        return dataset.load()


def write(dataset: xr.Dataset, path: Path) -> None:
    """Write to a temporary neighbour, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    dataset.to_netcdf(temporary)
    os.replace(temporary, path)


TASKS: dict[str, Callable[[Order, dict[str, chain.Variant]], None]] = {
    "plan": plan,
    "orbit": orbit,
    "events": events,
    "truth": truth,
    "instrument": instrument,
    "telemetry": telemetry,
    "auxiliary": auxiliary,
    "ground": ground,
    "verify": verify,
    "report": report,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
