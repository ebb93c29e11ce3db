"""CP-SAT against every possible choice of small random days; greedy never better; both within the rules."""

from itertools import combinations

import numpy as np
import pytest

from twin.mission.planning import cp_sat, greedy, limits, reasons
from twin.mission.planning.problem import STEP_BITS, Opportunity, Problem
from twin.mission.resources import ATTITUDE_BITS, FRAME_BITS, send_us
from twin.mission.timeline import Activity, Contact

STEP_US = limits.STEP_US
STEPS = 60


def random_day(seed: int, memory_bits: int = 10**12) -> Problem:
    """Nine opportunities of five requests over ten minutes with two passes."""
    rng = np.random.default_rng(seed)
    modes = np.repeat(rng.integers(0, 3, STEPS // 10), 10)
    opportunities = []
    for k in range(9):
        start = int(rng.integers(2, STEPS - 8))
        length, before, after = (int(n) for n in rng.integers([1, 0, 1], [6, 3, 3]))
        activity = Activity(start * STEP_US, (start + length) * STEP_US, "target", f"r{rng.integers(5)}")
        reach = start - before, start + length + after
        worth = int(rng.integers(1, 40)) * 10
        opportunities.append(Opportunity(k, activity, worth, length * STEP_BITS, *reach))
    conflicts = [
        (a.id, b.id)
        for a, b in combinations(opportunities, 2)
        if a.request != b.request and a.leave < b.resume and b.leave < a.resume
    ]
    edges = np.sort(rng.choice(np.arange(5, STEPS), 4, replace=False)) * STEP_US
    passes = tuple(Contact("Kiruna", "x", int(a), int(a) + 60_000, 9.0) for a in edges[::2])
    return Problem(0, STEPS * STEP_US, tuple(opportunities), tuple(conflicts), modes, passes, memory_bits)


def best_by_trying_all(problem: Problem) -> int:
    """Return the worth of the best of all choices, counted step by step."""
    found = -1
    for size in range(len(problem.opportunities) + 1):
        for ids in combinations(range(len(problem.opportunities)), size):
            chosen = [problem.opportunities[k] for k in ids]
            if len({one.request for one in chosen}) < size:
                continue
            if any(a in ids and b in ids for a, b in problem.conflicts):
                continue
            found = max(found, worth_of(problem, chosen))
    return found


def worth_of(problem: Problem, chosen: list[Opportunity]) -> int:
    """Try every number of steps of default observation in each of the three segments; -1: nothing fits."""
    taken = {k for one in chosen for k in range(one.leave, one.resume)}
    ends_us = [contact.aos_us for contact in problem.contacts] + [problem.end_us]
    free = [k * STEP_US for k in range(STEPS) if problem.modes[k] and k not in taken]
    begins_us = [0, *ends_us[:-1]]
    counts = [
        np.arange(1 + sum(begin <= k < end for k in free))
        for begin, end in zip(begins_us, ends_us, strict=True)
    ]
    steps = np.stack(np.meshgrid(*counts, indexing="ij"), axis=-1).reshape(-1, len(ends_us))
    level, fits = np.zeros(len(steps), np.int64), np.ones(len(steps), bool)
    for number, (begin_us, end_us) in enumerate(zip(begins_us, ends_us, strict=True)):
        level += -(-(end_us - begin_us) // 1_000_000) * ATTITUDE_BITS + steps[:, number] * STEP_BITS
        for one in chosen:
            if one.activity.start_us < end_us and one.activity.end_us >= begin_us:
                level += one.bits
        fits &= level <= problem.memory_bits
        if number < len(problem.contacts):
            duration_us = problem.contacts[number].los_us - problem.contacts[number].aos_us
            level = np.maximum(0, level - duration_us // send_us(FRAME_BITS) * FRAME_BITS)
    if not fits.any():
        return -1
    return sum(one.worth for one in chosen) + 10 * int(steps[fits].sum(axis=1).max())


@pytest.mark.parametrize("memory_steps", [10**6, 25, 12])
@pytest.mark.parametrize("seed", range(8))
def test_cp_sat_finds_the_best_of_all_choices(seed, memory_steps):
    problem = random_day(seed, memory_steps * STEP_BITS)
    best = best_by_trying_all(problem)
    choice = cp_sat.choose(problem)
    assert choice.optimal
    assert choice.bound == best
    kept = problem.kept_steps(choice.ids)
    assert problem.worth(choice.ids, kept) == best
    assert worth_of(problem, [problem.opportunities[k] for k in choice.ids]) == best


@pytest.mark.parametrize("memory_steps", [10**6, 12])
def test_greedy_keeps_the_rules_and_is_never_better(memory_steps):
    worse = 0
    for seed in range(20):
        problem = random_day(seed, memory_steps * STEP_BITS)
        ids = greedy.choose(problem).ids
        assert not any(a in ids and b in ids for a, b in problem.conflicts)
        chosen = [problem.opportunities[k] for k in ids]
        assert len({one.request for one in chosen}) == len(ids)
        worth = worth_of(problem, chosen)
        best = cp_sat.choose(problem).bound
        assert 0 <= worth <= best
        worse += worth < best
    assert worse  # or the days are too easy to tell the two apart


def test_both_choose_the_same_on_repeat():
    for choose in (cp_sat.choose, greedy.choose):
        assert choose(random_day(3)) == choose(random_day(3))


def test_without_time_the_greedy_choice_is_left(monkeypatch):
    monkeypatch.setattr(cp_sat, "DETERMINISTIC_TIME", 0.0)
    problem = random_day(5)
    assert cp_sat.choose(problem) == greedy.choose(problem)


def test_a_memory_too_small_for_anything_is_an_error():
    with pytest.raises(ValueError, match=r"enlarge mission\.memory"):
        cp_sat.choose(random_day(1, memory_bits=100))


def flat(*opportunities: Opportunity, modes: int = 0, memory_bits: int = 10**12, conflicts=()) -> Problem:
    return Problem(0, STEPS * STEP_US, opportunities, conflicts, np.full(STEPS, modes), (), memory_bits)


def opportunity(
    k: int, request: str, worth: int, bits: int = 0, steps: tuple[int, int] = (0, 1)
) -> Opportunity:
    activity = Activity(steps[0] * STEP_US, steps[1] * STEP_US, "target", request)
    return Opportunity(k, activity, worth, bits, *steps)


def test_reasons_name_the_rival_the_memory_and_the_default():
    day = flat(
        opportunity(0, "a", 50), opportunity(1, "b", 40), opportunity(2, "c", 60), conflicts=((0, 1), (1, 2))
    )
    assert reasons.unserved(day, [0, 2]) == {"b": "conflicts with c and 1 more"}
    assert reasons.unserved(day, [0]) == {"b": "conflicts with a", "c": reasons.NOT_CHOSEN}
    full = flat(opportunity(0, "a", 50, bits=10**6), memory_bits=10**6)
    assert reasons.unserved(full, []) == {"a": reasons.MEMORY}
    dear = flat(opportunity(0, "a", 50, steps=(0, 6)), modes=1)
    assert reasons.unserved(dear, []) == {"a": reasons.WORTH_LESS}
    assert cp_sat.choose(dear).ids == greedy.choose(dear).ids == ()


def test_a_request_worth_more_than_what_it_displaces_is_served():
    cheap = flat(opportunity(0, "a", 61, steps=(0, 6)), modes=1)
    assert cp_sat.choose(cheap).ids == greedy.choose(cheap).ids == (0,)


def test_default_observation_lost_to_two_is_counted_once():
    both = flat(opportunity(0, "a", 50, steps=(0, 6)), opportunity(1, "b", 50, steps=(2, 8)), modes=1)
    assert cp_sat.choose(both).ids == (0, 1)  # 100 points for 8 steps; each alone 50 for 6
    assert cp_sat.choose(both).bound == 100 + 10 * (STEPS - 8)
