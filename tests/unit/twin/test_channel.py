"""The link: quiet by default, keyed by frame, with the error rates asked for."""

import numpy as np
import pytest

from twin.telemetry.channel import Channel

FIVE_SIGMA = 5.0
BITS = 8 * 1279


@pytest.fixture
def cadus():
    return np.random.default_rng(3).integers(0, 256, (300, 1279), dtype=np.uint8)


def flipped(sent, received):
    return np.unpackbits(sent ^ received, axis=1).sum(axis=1)


def test_quiet_by_default(cadus):
    assert (Channel()(cadus, 1) == cadus).all()


def test_bit_error_rate(cadus):
    rate = 1e-3
    counts = flipped(cadus, Channel(bit_error_rate=rate)(cadus, 1))
    expected = rate * BITS * len(cadus)
    assert abs(counts.sum() - expected) < FIVE_SIGMA * np.sqrt(expected)
    assert counts.var() == pytest.approx(rate * BITS, rel=0.5)  # Poisson: errors fall independently


def test_every_bit_is_inverted_at_rate_one(cadus):
    assert (Channel(bit_error_rate=1.0)(cadus[:3], 1) == ~cadus[:3]).all()


def test_sent_frames_are_left_alone(cadus):
    before = cadus.copy()
    Channel(bit_error_rate=0.01, frame_loss=0.1, duplication=0.1)(cadus, 1)
    assert (cadus == before).all()


def test_loss_and_repetition_rates(cadus):
    numbered = np.repeat(np.arange(300, dtype=np.uint16).view(np.uint8).reshape(300, 2), 4, axis=1)
    received = Channel(frame_loss=0.2, duplication=0.1)(numbered, 1)
    _, copies = np.unique(received, axis=0, return_counts=True)
    lost, twice = 300 - len(copies), (copies == 2).sum()
    assert abs(lost - 60) < FIVE_SIGMA * np.sqrt(300 * 0.2 * 0.8)
    assert abs(twice - 24) < FIVE_SIGMA * np.sqrt(300 * 0.08 * 0.92)
    assert copies.max() == 2


def test_all_lost(cadus):
    assert Channel(frame_loss=1.0)(cadus, 1).shape == (0, 1279)


def test_errors_of_a_frame_depend_on_nothing_else(cadus):
    noisy = Channel(bit_error_rate=1e-3, seed=4)
    whole = noisy(cadus, 1)
    assert (noisy(cadus[:10], 1) == whole[:10]).all()
    twice = Channel(bit_error_rate=1e-3, seed=4, duplication=1.0)(cadus, 1)
    assert (twice[::2] == whole).all()
    assert (twice[1::2] == whole).all()


@pytest.mark.parametrize(
    ("other", "vcid"),
    [(Channel(bit_error_rate=1e-3, seed=1), 1), (Channel(bit_error_rate=1e-3, pass_number=2), 1), (None, 2)],
)
def test_another_seed_pass_or_channel_differs(cadus, other, vcid):
    first = Channel(bit_error_rate=1e-3)
    assert (first(cadus, 1) != (other or first)(cadus, vcid)).any(axis=1).all()


@pytest.mark.parametrize("rate", [-0.01, 1.01])
def test_probabilities_only(rate):
    with pytest.raises(ValueError, match=r"probability in 0\.\.1"):
        Channel(frame_loss=rate)
