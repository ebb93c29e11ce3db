"""Answer how many workers of the ground a latency target needs: one mission flown, its queue run often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from twin.errors import BadInput
from twin.events import frames, groundsegment, latency, mission, service
from twin.events.log import EventLog
from twin.events.service import Service
from twin.mission.timeline import Timeline
from twin.quantities import quantity
from twin.scenario import Scenario, load

DAY_S = 86_400.0


@dataclass(frozen=True)
class Trial:
    """What a number of workers reaches; None: more than there ever are jobs."""

    workers: int | None
    p50_s: float
    p95_s: float
    max_s: float
    utilisation: float | None
    backlog_max: int


@dataclass(frozen=True)
class Answer:
    """The trials made, by number of workers; `needed` is None where no number of them meets the target."""

    target_s: float
    needed: int | None
    trials: tuple[Trial, ...]
    floor: Trial  # without any waiting for a worker
    rates: Service


def answer(log: EventLog, rates: Service, target_s: float) -> Answer:
    """Find the fewest workers whose p95 latency is at most the target: doubling, then bisection.

    It takes more workers for no worse, which holds for a queue of this kind but for rare reorderings.
    """
    seen = frames.of(log)
    if not seen.complete.any():
        raise BadInput("expected frames on the ground, got none: plan contacts, or make the span longer")
    made: dict[int, Trial] = {}

    def meets(workers: int) -> bool:
        made[workers] = made.get(workers) or _trial(log, seen, rates, workers)
        return made[workers].p95_s <= target_s

    jobs = len(seen.granule_id) + len(seen.pass_bits)
    unlimited = _trial(log, seen, rates, jobs)
    floor = Trial(None, unlimited.p50_s, unlimited.p95_s, unlimited.max_s, None, unlimited.backlog_max)
    needed = fewest(meets, jobs) if floor.p95_s <= target_s else None
    if needed is None:
        meets(1)
    return Answer(target_s, needed, tuple(made[n] for n in sorted(made)), floor, rates)


def fewest(meets: Callable[[int], bool], most: int) -> int:
    """Return the smallest number from 1 to `most`, which meets, that meets; monotone beyond it."""
    low, high = 0, 1  # the largest known to miss, a candidate
    while high < most and not meets(high):
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(middle) else (middle, high)
    return high


def _trial(log: EventLog, seen: frames.Frames, rates: Service, workers: int) -> Trial:
    products = groundsegment.work_off(seen, rates, workers)
    reached = latency.summary(products.latency_us)
    p50_s, p95_s, max_s = (reached[f"latency_{name}_s"] or 0.0 for name in ("p50", "p95", "max"))
    share = latency.utilisation(log, products)
    return Trial(workers, p50_s, p95_s, max_s, share, int(latency.backlog(products)[1].max(initial=0)))


def ask(
    name: Path, target: str, measured: Path | None, days: float | None, plan: Path | None, seed: int | None
) -> Answer:
    """Answer for a scenario in mode plan; the plan is a file's, or the greedy planner's."""
    target_s = seconds(target)
    if measured is None:
        raise BadInput(
            "expected measured service times, got no run: make one first, `twin run sunglint_ocean`, "
            "and name its directory with --measured"
        )
    rates = service.measured(measured)
    scenario = load(name, seed=seed)
    if scenario.mission is None:
        raise BadInput(
            f"{name}: expected a mission to plan, got an observation: take a scenario in mode plan"
        )
    if days is not None:
        if plan is not None:
            raise BadInput("expected --days or --plan, got both: the span of a plan is its own")
        longer = scenario.mission.model_copy(update={"duration": days * DAY_S})
        scenario = scenario.model_copy(update={"mission": longer})
    timeline = read_plan(plan) if plan else greedy(scenario)
    return answer(mission.simulate(scenario, timeline, resolution="batch"), rates, target_s)


def seconds(text: str) -> float:
    """Read a time with its unit, like `3 h`."""
    try:
        return TypeAdapter(Annotated[float, quantity("second", 1e-6)]).validate_python(text)
    except ValidationError as error:
        raise BadInput(f"--target: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def read_plan(path: Path) -> Timeline:
    try:
        return Timeline.restore(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{path}: expected a timeline.json as `twin plan` writes it, got {error!r}") from None


def greedy(scenario: Scenario) -> Timeline:
    """Plan by the greedy method, whatever method the scenario names."""
    from twin.mission.planning import rolling

    return rolling.plan(scenario, method="greedy")
