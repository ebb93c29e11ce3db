"""Say why a request that could be served was not."""

from __future__ import annotations

from collections.abc import Sequence

from twin.mission.planning.problem import Problem

MEMORY = "memory: no room before the next pass"
WORTH_LESS = "worth less than the default observation it would displace"
NOT_CHOSEN = "not chosen by the method, though nothing forbids it"


def unserved(problem: Problem, chosen: Sequence[int]) -> dict[str, str]:
    """Return the reason of each request that has opportunities and none chosen, by its best opportunity."""
    served = {problem.opportunities[k].request for k in chosen}
    kept = problem.kept_steps(chosen)
    worth = problem.worth(chosen, kept) if kept is not None else 0
    found: dict[str, tuple[int, str]] = {}
    for one in problem.opportunities:
        if one.request not in served:
            rank = _reason(problem, chosen, worth, one.id)
            found[one.request] = max(found.get(one.request, rank), rank)
    return {request: reason for request, (_, reason) in found.items()}


def _reason(problem: Problem, chosen: Sequence[int], worth: int, k: int) -> tuple[int, str]:
    """Return a reason, and how near to being served it leaves the request."""
    rivals = sorted(problem.partners[k].intersection(chosen))
    if rivals:
        best = max((problem.opportunities[rival] for rival in rivals), key=lambda one: one.worth)
        others = f" and {len(rivals) - 1} more" if len(rivals) > 1 else ""
        return 0, f"conflicts with {best.request}{others}"
    kept = problem.kept_steps([*chosen, k])
    if kept is None:
        return 1, MEMORY
    return (3, NOT_CHOSEN) if problem.worth([*chosen, k], kept) > worth else (2, WORTH_LESS)
