"""Keyed draws: independent of order, of one another and of the global state."""

import numpy as np
import pytest

from twin import random


def test_a_place_draws_the_same_whatever_else_is_drawn():
    ids = [10**11 + 11, 10**11 + 12, 10**11 + 13]
    together = random.normals(7, "shot noise", ids, (5,))
    alone = random.normals(7, "shot noise", ids[::-1][:1], (5,))
    assert np.array_equal(together[2], alone[0])


@pytest.mark.parametrize(
    "other",
    [(8, "shot noise", 11, 0), (7, "read noise", 11, 0), (7, "shot noise", 12, 0), (7, "shot noise", 11, 1)],
)
def test_seed_effect_and_place_each_change_the_draw(other):
    one = random.stream(7, "shot noise", 11, 0).standard_normal(2000)
    two = random.stream(*other).standard_normal(2000)
    four_sigma = 4 / np.sqrt(2000)
    assert abs(np.corrcoef(one, two)[0, 1]) < four_sigma
    assert not np.array_equal(one, two)


def test_a_stream_is_numpy_philox_with_the_published_key():
    from hashlib import blake2b

    key = np.frombuffer(blake2b(b"7|shot noise", digest_size=16).digest(), dtype="<u8").astype(np.uint64)
    philox = np.random.Philox(key=key, counter=np.array([0, 11, 3, 0], dtype=np.uint64))
    assert np.array_equal(
        np.random.Generator(philox).standard_normal(4),
        random.stream(7, "shot noise", 11, 3).standard_normal(4),
    )


def test_neighbouring_places_do_not_overlap():
    long_draw = random.stream(1, "x", 1).random(10_000)
    next_place = random.stream(1, "x", 2).random(100)
    assert not np.isin(next_place, long_draw).any()


def test_global_state_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    random.sign(1, "x", 2)
    assert np.random.random() == expected  # noqa: NPY002


def test_signs_are_fair():
    signs = [random.sign(seed, "gain") for seed in range(1000)]
    four_sigma = 4 / np.sqrt(1000)
    assert set(signs) == {-1, 1}
    assert abs(np.mean(signs)) < four_sigma


def test_too_many_place_numbers_are_refused():
    random.stream(1, "x", 1, 2, 3)
    with pytest.raises(ValueError, match="at most 3"):
        random.stream(1, "x", 1, 2, 3, 4)
