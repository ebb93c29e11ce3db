"""Lay out the chain from orbit to report: the order of the stages and the programs each of them runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from twin import provenance
from twin.engine import Task
from twin.faults.catalogue import Fault, chosen
from twin.products import Check
from twin.scenario import Scenario

FOVS = 3  # soundings of a frame
FRAMES_A_GRANULE = 4  # a granule is the unit of work: 12 soundings
BATCH = 8  # granules a program at most: what a killed program has to do again
CHANNELS = (1, 2)  # virtual channels, a file each
GRANULES = "granules.json"
SENT = "sent.json"  # what the telemetry stage says of itself: passes, soundings a fault touched
AUXILIARY = (
    "lines",
    "partition_sums.csv",
    "cia.csv",
    "solar_lines.csv",
    "solar_continuum.csv",
    "particles.csv",
    "leap_seconds.csv",
)
Item = tuple["Variant", int]  # a granule of a variant


@dataclass(frozen=True)
class Variant:
    """The run itself, the same soundings under another truth, or the same run with a fault on its way.

    Paths count from the run directory.
    """

    name: str
    root: Path
    scenario: Scenario
    fault: Fault | None = None

    @property
    def granules(self) -> int:
        frames = -(-self.scenario.observation.soundings // FOVS)
        return -(-frames // FRAMES_A_GRANULE)

    def path(self, name: str, granule: int | None = None) -> Path:
        """`name` under the variant's root, with the granule number filled in."""
        return self.root / (name if granule is None else name.format(granule))

    def source(self, name: str, granule: int | None = None) -> Path:
        """Path of something from before the downlink, which a fault shares with the run itself."""
        filled = name if granule is None else name.format(granule)
        return Path(filled) if self.fault else self.path(filled)


@dataclass(frozen=True)
class Chain:
    """One run: where it lives, what it runs, how many programs at once."""

    directory: Path
    scenario: Scenario
    digest: str
    workers: int
    folder: Path = Path()  # of the scenario's file: a user's own programming method is looked for there

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        return variants(self.scenario)

    def cache(self, side: str) -> str:
        """Folder beside the run directories for the tables of one side, one a version of their code."""
        return f"../.cache/{provenance.tables_folder(side)}"

    def items(self) -> list[Item]:
        return [(variant, granule) for variant in self.variants for granule in range(variant.granules)]

    def passes(self, variant: Variant) -> list[int]:
        """Numbers of the station passes that deliver a variant, as the telemetry stage wrote them."""
        told = json.loads((self.directory / variant.path(SENT)).read_text(encoding="utf-8"))
        numbers: list[int] = told["passes"]
        return numbers

    def arrived(self, level: str) -> list[Item]:
        """Items whose product of a level exists; a fault may have kept one from being made."""
        return [
            item
            for item in self.items()
            if not item[0].fault or (self.directory / self.product(level, *item)).exists()
        ]

    def given(self, variant: Variant, name: str) -> str:
        """Path of an auxiliary file: the run's own, or the copy of a fault that meddles with it."""
        own = variant.fault is not None and Path(name).stem in variant.fault.own_inputs
        return str(variant.path(name) if own else name)

    def product(self, level: str, variant: Variant, granule: int) -> Path:
        """Path of a product, named by the pattern of the interface files and the granule's first sounding."""
        number = granule if level != "l0" else 0
        start = datetime.fromtimestamp(self.granule_list[number]["start_unix_s"], UTC)
        naming = _naming()
        text = start.strftime(naming["start_format"])
        name = naming["pattern"].format(level=level.upper(), start=text, granule=granule)
        return variant.root / level / name

    @cached_property
    def granule_list(self) -> list[dict[str, Any]]:
        """Each granule's start_unix_s (s since 1970 UTC), boot count and first frame, as told by orbit."""
        listed: list[dict[str, Any]] = json.loads((self.directory / GRANULES).read_text())["granules"]
        return listed

    def task(
        self,
        program: str,
        order: dict[str, Any],
        outputs: list[Path],
        items: list[Item] | None = None,
        sources: Sequence[Path] = (),
        stage: str = "",
    ) -> Task:
        """Write the job order of one program and describe the program to the engine.

        sources  for each output the product whose soundings it must hold;  stage  the program's by default
        """
        stage = stage or program
        items = items or [(self.variants[0], 0)]
        task_id = "-".join(filter(None, (stage, items[0][0].name, f"{items[0][1]:04d}")))
        job = Path("jobs") / f"{task_id}.yaml"
        (self.directory / "jobs").mkdir(exist_ok=True)
        temporary = self.directory / f"{job}.part"
        temporary.write_text(yaml.safe_dump(order, sort_keys=False), encoding="utf-8")
        os.replace(temporary, self.directory / job)
        own = "step" not in order
        made = Task(
            task_id=task_id,
            stage=stage,
            command=(*self._program(program, own), program, str(job)),
            log=self.directory / "jobs" / f"{task_id}.log",
            outputs=tuple(self.directory / path for path in outputs),
            granule=",".join("/".join(filter(None, (v.name, str(g)))) for v, g in items),
            own=own,
            check=None if own else self._check(program, outputs, sources),
        )
        fault = items[0][0].fault
        return made if own or fault is None else _faulty(made, fault, items[0][1], str(job))

    def _check(self, stage: str, outputs: Sequence[Path], sources: Sequence[Path]) -> Check:
        there = self.directory
        pairs = zip(outputs, sources, strict=True) if sources else ()
        return Check(stage, {there / made: there / source for made, source in pairs})

    def _program(self, stage: str, own: bool) -> tuple[str, ...]:
        if own:
            return (sys.executable, "-m", "twin.worker")
        other = self.scenario.processors.get(stage)  # type: ignore[call-overload]
        return tuple(other) if other else (sys.executable, "-m", "processors")

    def batches(self, items: list[Item], output: Callable[[Item], Path]) -> list[list[Item]]:
        """Share the granules whose output is missing among programs: one a worker, more when it is many.

        Measured: imports cost a fresh program 2.2 s (truth: sasktran2, xarray) and 0.6 s (L2), a granule of
        12 soundings 6 s and 10 s of the same core; a program a granule would add 12 s to 120 soundings.
        """
        missing = [item for item in items if not (self.directory / output(item)).exists()]
        own = [item for item in missing if item[0].fault is None]
        damaged = [item for item in missing if item[0].fault and not item[0].fault.step]
        struck = [item for item in missing if item[0].fault and item[0].fault.step]
        return self._shared(own) + self._shared(damaged) + [[item] for item in struck]

    # a program that a fault strikes holds one granule, so that it meets no other
    def _shared(self, missing: list[Item]) -> list[list[Item]]:
        if not missing:
            return []
        size = max(1, min(BATCH, -(-len(missing) // self.workers)))
        programs = -(-len(missing) // size)
        return [missing[first::programs] for first in range(programs)]


@dataclass(frozen=True)
class Stage:
    name: str
    tasks: Callable[[Chain], list[Task]]


def variants(scenario: Scenario) -> tuple[Variant, ...]:
    """The scenario's own soundings; the first of them with other CO2 lines in truth; each fault asked for."""
    nominal = Variant("", Path(), scenario)
    faulty = (
        Variant(fault.name, Path("faults") / fault.name, scenario, fault) for fault in chosen(scenario.faults)
    )
    return (nominal, *_mismatch(scenario), *faulty)


def _mismatch(scenario: Scenario) -> tuple[Variant, ...]:
    asked = min(scenario.mismatch.soundings, scenario.observation.soundings)
    if asked == 0:
        return ()
    scale = scenario.truth.co2_intensity_scale * (1.0 + scenario.mismatch.co2_intensity)
    truth = scenario.truth.model_copy(update={"co2_intensity_scale": scale})
    observation = scenario.observation.model_copy(update={"soundings": asked})
    other = scenario.model_copy(update={"truth": truth, "observation": observation, "faults": []})
    return (Variant("mismatch", Path("mismatch"), other),)


def _faulty(task: Task, fault: Fault, granule: int, job: str) -> Task:
    """Let a program of a faulty run fail without ending the run, and strike the one the fault is for."""
    struck = fault.step == task.stage and granule == 0
    told = (sys.executable, "-m", "twin.faults.program", fault.name, task.stage, job, "--")
    return replace(
        task,
        command=(*told, *task.command) if struck else task.command,
        attempts=max(fault.attempts, task.attempts),
        retry_always=fault.attempts > 1,
        may_fail=True,
        timeout_s=fault.timeout_s if struck and fault.timeout_s else task.timeout_s,
    )


def _once(stage: str, *outputs: str) -> Stage:
    """A stage of one program for the whole run."""
    return Stage(stage, lambda chain: [chain.task(stage, {}, [Path(name) for name in outputs])])


def _telemetry(chain: Chain) -> list[Task]:
    """One program a variant, several faults in one: loading its libraries takes longer than a fault."""
    faulty = [variant for variant in chain.variants if variant.fault]
    batches = [[v] for v in chain.variants if not v.fault]
    batches += [faulty[first : first + BATCH] for first in range(0, len(faulty), BATCH)]
    outputs = ("sent_packets.csv", SENT)
    return [
        chain.task(
            "telemetry",
            {"variants": [v.name for v in batch]},
            [v.path(name) for v in batch for name in outputs],
            [(v, 0) for v in batch],
        )
        for batch in batches
    ]


def _plan(chain: Chain) -> list[Task]:
    outputs = ("timeline.json", "commands.bin", "opportunities.json", "gantt.png")
    order = {"folder": str(chain.folder)}
    return [chain.task("plan", order, [Path(name) for name in outputs])]


def _each_variant(stage: str, *outputs: str) -> Stage:
    """A stage of one program a variant; what a fault does comes later."""

    def tasks(chain: Chain) -> list[Task]:
        return [
            chain.task(stage, {"variant": v.name}, [v.path(name) for name in outputs], [(v, 0)])
            for v in chain.variants
            if v.fault is None
        ]

    return Stage(stage, tasks)


def _granules(stage: str, *outputs: str) -> Stage:
    """A stage that makes files of every granule, several granules a program."""

    def tasks(chain: Chain) -> list[Task]:
        def last(item: Item) -> Path:
            return item[0].path(outputs[-1], item[1])

        return [
            chain.task(
                stage,
                {
                    "granules": [[variant.name, granule] for variant, granule in batch],
                    "outputs": list(outputs),
                    "tables": chain.cache("truth"),
                },
                [variant.path(name, granule) for variant, granule in batch for name in outputs],
                batch,
            )
            for batch in chain.batches([item for item in chain.items() if not item[0].fault], last)
        ]

    return Stage(stage, tasks)


def _order(chain: Chain, step: str, inputs: dict[str, Any], outputs: Any) -> dict[str, Any]:
    return {
        "step": step,
        "inputs": inputs,
        "outputs": {step: outputs},
        "settings": dict(chain.scenario.settings.get(step, {})),  # type: ignore[call-overload]
        "scenario_hash": chain.digest,
        "cache": chain.cache("processors"),
    }


def _l0(chain: Chain) -> list[Task]:
    """One order a pass."""
    tasks = []
    for variant in chain.variants:
        for number in chain.passes(variant):
            output = chain.product("l0", variant, number - 1)
            order = _order(chain, "l0", _l0_inputs(variant, number), str(output))
            tasks.append(chain.task("l0", order, [output], [(variant, number - 1)]))
    return tasks


def _l0_inputs(variant: Variant, number: int) -> dict[str, Any]:
    stem = f"l0_stream/pass_{number:04d}"
    return {
        "stream": [str(variant.path(f"{stem}_vc{vc}.cadu")) for vc in CHANNELS],
        "manifest": str(variant.path(f"{stem}.json")),
    }


def _step(step: str, source: str, inputs: Callable[[Chain, list[Item]], dict[str, Any]]) -> Stage:
    """A processing step of every granule that its source level has, several granules a job order."""

    def output(chain: Chain, item: Item) -> Path:
        return chain.product(step, *item)

    def tasks(chain: Chain) -> list[Task]:
        made = []
        for batch in chain.batches(chain.arrived(source), lambda item: output(chain, item)):
            outputs = [output(chain, item) for item in batch]
            order = _order(chain, step, inputs(chain, batch), [str(path) for path in outputs])
            sources = [chain.product(source, *item) for item in batch]
            made.append(chain.task(step, order, outputs, batch, sources))
        return made

    return Stage(step, tasks)


def _l1b_inputs(chain: Chain, batch: list[Item]) -> dict[str, Any]:
    return {
        "l1a": [str(chain.product("l1a", *item)) for item in batch],
        "ckd": chain.given(batch[0][0], "ckd.nc"),
    }


def _l2_inputs(chain: Chain, batch: list[Item]) -> dict[str, Any]:
    return {
        "l1b": [str(chain.product("l1b", *item)) for item in batch],
        "ckd": chain.given(batch[0][0], "ckd.nc"),
        "prior": chain.given(batch[0][0], "prior.nc"),
        **{Path(name).stem: f"aux/{name}" for name in AUXILIARY[:-1]},
    }


def _l1a(chain: Chain) -> list[Task]:
    """One order a granule: the L0 of all passes in, the granule's soundings out."""
    made = []
    for variant, granule in chain.items():
        l0 = [chain.product("l0", variant, number - 1) for number in chain.passes(variant)]
        if variant.fault and not all((chain.directory / path).exists() for path in l0):
            continue
        output = chain.product("l1a", variant, granule)
        inputs = {
            "l0": [str(path) for path in l0],
            "ckd": "ckd.nc",
            "leap_seconds": "aux/leap_seconds.csv",
        }
        order = _order(chain, "l1a", inputs, str(output))
        told = chain.granule_list[granule]
        first = told["first_frame"]
        order["settings"] |= {"boot": told["boot"], "frames": [first, first + FRAMES_A_GRANULE - 1]}
        made.append(chain.task("l1a", order, [output], [(variant, granule)]))
    return made


# L0 and L2 work on one pass, one granule for nothing: their first use builds tables and compiles kernels.
# So the times of the stages that follow are those of a ground that is in operation.
def _install_l0(chain: Chain) -> list[Task]:
    own, output = chain.variants[0], Path("install/l0.nc")
    order = _order(chain, "l0", _l0_inputs(own, chain.passes(own)[0]), str(output))
    return [chain.task("l0", order, [output], [(own, 0)], stage="install_l0")]


def _install_l2(chain: Chain) -> list[Task]:
    first, output = [(chain.variants[0], 0)], Path("install/l2.nc")
    order = _order(chain, "l2", _l2_inputs(chain, first), [str(output)])
    return [chain.task("l2", order, [output], first, stage="install_l2")]


def _naming() -> dict[str, str]:
    """Read the naming pattern among the ground's interface files, as data."""
    path = provenance.package_root("processors") / "icd" / "naming.yaml"
    naming: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return naming


FROM_NATURE = (
    _granules("truth", "truth/scene_{:04d}.nc", "truth/radiance_{:04d}.nc"),
    _granules("instrument", "truth/dn_{:04d}.nc"),
    Stage("telemetry", _telemetry),
    _once("auxiliary", "truth.nc", "ckd.nc", "prior.nc", *(f"aux/{name}" for name in AUXILIARY)),
    Stage("install_l0", _install_l0),
    Stage("l0", _l0),
    Stage("l1a", _l1a),
    _step("l1b", "l1a", _l1b_inputs),
    Stage("install_l2", _install_l2),
    _step("l2", "l1b", _l2_inputs),
    _once("ground", "operations.json", "dissemination.csv"),
    _once("verify", "verdict.json"),
    _once("report", "report.html"),
)
ORBIT = _once("orbit", "geometry.nc", GRANULES)
OBSERVATION = (ORBIT, _each_variant("events", "events.csv"), *FROM_NATURE)
MISSION = (
    Stage("plan", _plan),
    _once("events", "events.csv"),
    ORBIT,
    *FROM_NATURE,
)


def stages(scenario: Scenario) -> tuple[Stage, ...]:
    """Return the stages in their order: a mission is planned and flown before it is looked at."""
    return OBSERVATION if scenario.mission is None else MISSION
