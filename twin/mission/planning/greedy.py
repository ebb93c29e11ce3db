"""Choose by worth, then by time, whatever still fits: the fallback, and a yardstick for better methods."""

from __future__ import annotations

from twin.mission.planning.problem import Choice, Problem


def choose(problem: Problem) -> Choice:
    """Take each opportunity in turn that no choice before it forbids and that is worth what it displaces."""
    chosen: list[int] = []
    kept = problem.kept_steps(chosen)
    best = problem.worth(chosen, kept) if kept is not None else 0
    order = sorted(problem.opportunities, key=lambda one: (-one.worth, one.activity.start_us, one.id))
    for one in order:
        if problem.partners[one.id].intersection(chosen):
            continue
        kept = problem.kept_steps([*chosen, one.id])
        if kept is None:
            continue
        worth = problem.worth([*chosen, one.id], kept)
        if worth > best:
            chosen.append(one.id)
            best = worth
    return Choice(tuple(sorted(chosen)))
