"""Choose the opportunities of most worth with OR-Tools' CP-SAT, the same on every repeat."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.mission.planning import greedy
from twin.mission.planning.problem import STEP_BITS, STEP_WORTH, Choice, Problem

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

SEED = 1
DETERMINISTIC_TIME = 10.0  # of the solver's own clock, about seconds: no machine's speed decides a plan


def choose(problem: Problem) -> Choice:
    """Solve the day to optimality, or to the best found when the solver's clock runs out.

    The search begins at the greedy choice, which is also what is left where the clock allows for nothing.
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    taken = [model.new_bool_var(f"x{one.id}") for one in problem.opportunities]
    for group in _exclusive(problem):
        model.add_at_most_one(taken[k] for k in group)
    kept = _default_steps(problem, model, taken)
    _keep_in_memory(problem, model, taken, kept)
    model.maximize(sum(one.worth * taken[one.id] for one in problem.opportunities) + STEP_WORTH * sum(kept))
    first = greedy.choose(problem)
    for k, variable in enumerate(taken):
        model.add_hint(variable, k in first.ids)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = SEED
    solver.parameters.max_deterministic_time = DETERMINISTIC_TIME
    status = solver.solve(model)
    if status == cp_model.UNKNOWN:
        return first
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise ValueError(
            f"expected a plan within the solver's time, got {solver.status_name(status)}: "
            "enlarge mission.memory, or take programming: greedy"
        )
    ids = tuple(one.id for one in problem.opportunities if solver.boolean_value(taken[one.id]))
    return Choice(ids, solver.best_objective_bound, status == cp_model.OPTIMAL)


def _exclusive(problem: Problem) -> Iterator[list[int]]:
    """Give groups of which one member may be taken: each request's, and cliques that cover all conflicts."""
    requests: dict[str, list[int]] = {}
    for one in problem.opportunities:
        requests.setdefault(one.request, []).append(one.id)
    yield from requests.values()
    covered: set[tuple[int, int]] = set()
    order = sorted(
        range(len(problem.opportunities)), key=lambda k: (problem.opportunities[k].activity.start_us, k)
    )
    rank = {k: place for place, k in enumerate(order)}
    for a, b in sorted(problem.conflicts, key=lambda pair: sorted(rank[k] for k in pair)):
        if (a, b) in covered:
            continue
        clique = [a, b]
        for k in sorted(problem.partners[a] & problem.partners[b], key=rank.__getitem__):
            if all(k in problem.partners[member] for member in clique):
                clique.append(k)
        covered |= {(i, j) for i in clique for j in clique}
        yield clique


def _default_steps(problem: Problem, model: cp_model.CpModel, taken: list[Any]) -> list[Any]:
    """Count the steps of default observation of each segment, at most those no opportunity stands on."""
    edges = {0, len(problem.modes), *(np.flatnonzero(np.diff(problem.step_segments)) + 1).tolist()}
    for one in problem.opportunities:
        edges |= {one.leave, max(one.leave, one.resume)}
    available: list[Any] = [0] * len(problem.segment_ends_us)
    most = [0] * len(problem.segment_ends_us)
    for first, end in pairwise(sorted(edges)):
        steps = int(np.count_nonzero(problem.modes[first:end]))
        if not steps:
            continue
        segment = int(problem.step_segments[first])
        most[segment] += steps
        standing = [one.id for one in problem.opportunities if one.leave <= first and end <= one.resume]
        available[segment] += steps * (_free(problem, model, taken, standing, first) if standing else 1)
    kept = [model.new_int_var(0, count, f"kept{segment}") for segment, count in enumerate(most)]
    for count, limit in zip(kept, available, strict=True):
        model.add(count <= limit)
    return kept


def _free(problem: Problem, model: cp_model.CpModel, taken: list[Any], standing: list[int], cell: int) -> Any:
    """Make a variable that is 0 where one of the opportunities is taken; a request takes one at most."""
    free = model.new_bool_var(f"free{cell}")
    requests: dict[str, list[int]] = {}
    for k in standing:
        requests.setdefault(problem.opportunities[k].request, []).append(k)
    for ids in requests.values():
        model.add_at_most_one([free, *(taken[k] for k in ids)])
    return free


def _keep_in_memory(problem: Problem, model: cp_model.CpModel, taken: list[Any], kept: list[Any]) -> None:
    """Bound the level at the beginning of each pass, unless all that could be observed fits at once."""
    everything = problem.levels(range(len(problem.opportunities)), problem.modes > 0)
    if max(everything) <= problem.memory_bits:
        return
    left: Any = problem.level_bits
    for segment, attitude_bits in enumerate(problem.fills(())):
        filled = sum(
            one.bits * taken[one.id] for one in problem.opportunities if segment in problem.segments(one)
        )
        level = left + attitude_bits + filled + STEP_BITS * kept[segment]
        model.add(level <= problem.memory_bits)
        left = model.new_int_var(0, problem.memory_bits, f"left{segment}")
        model.add(left >= level - problem.capacity_bits(segment))
