"""A share of the cases of benchmarks/l0_fuzz.py, and proof that it would complain."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from processors.l0 import step

FUZZ = Path(__file__).parents[3] / "benchmarks" / "l0_fuzz.py"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("l0_fuzz", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["l0_fuzz"] = module
    spec.loader.exec_module(module)
    module.warm()
    return module


@pytest.mark.parametrize("seed", range(8))
def test_whatever_arrives_nothing_false_is_accepted(fuzz, seed):
    some = 0
    for n in range(250):
        case = fuzz.case(np.random.default_rng((100 + seed, n)))
        assert fuzz.complaint(case) is None, (seed, n, case.named)
        some += len(fuzz.accepted(step.process([case.stream]))) > 0
    assert some > 100  # or the cases would not try the acceptance


@pytest.mark.parametrize("size", [0, 1, 4, 1278])
def test_less_than_a_unit_gives_nothing(size):
    said = step.process([np.full(size, 0x1A, np.uint8)])
    assert said["packet_data"].size == 0
    assert said["bytes_skipped"] == size


def test_a_packet_let_through_unchecked_is_found(fuzz, monkeypatch):
    """With the check of packets switched off, damage to packets tells."""
    monkeypatch.setattr(step.packets, "intact", lambda data, start, length: np.ones(start.size, bool))
    cases = (fuzz.case(np.random.default_rng((3, n))) for n in range(300))
    said = {fuzz.complaint(case) for case in cases if case.named in ("other_bytes", "other_header")}
    assert "accepted a packet that was not sent" in said


def test_a_packet_lost_on_a_whole_pass_is_found(fuzz, monkeypatch):
    check = step.packets.intact
    monkeypatch.setattr(step.packets, "intact", lambda *given: check(*given) & (given[2] != 32))
    said = {fuzz.complaint(fuzz.case(np.random.default_rng((4, n)))) for n in range(100)}
    assert "lost a packet of a whole pass" in said


def test_an_error_that_escapes_is_found(fuzz, monkeypatch):
    def broken(_streams):
        raise IndexError("index 7 is out of bounds")

    monkeypatch.setattr(fuzz.step, "process", broken)
    assert fuzz.complaint(fuzz.case(np.random.default_rng(1))) == "IndexError: index 7 is out of bounds"
