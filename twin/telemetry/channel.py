"""Turn the CADUs sent into the CADUs a station receives: with bit errors, losses and repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin import random


@dataclass(frozen=True)
class Channel:
    """A link whose draws depend on (seed, pass, virtual channel, frame) alone; quiet by default."""

    seed: int = 0
    pass_number: int = 1
    bit_error_rate: float = 0.0  # probability that a bit is inverted
    frame_loss: float = 0.0  # probability that a frame is not delivered
    duplication: float = 0.0  # probability that a delivered frame is delivered twice

    def __post_init__(self) -> None:
        for name in ("bit_error_rate", "frame_loss", "duplication"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a probability in 0..1, got {getattr(self, name)}")

    def __call__(self, cadus: np.ndarray, vcid: int) -> np.ndarray:
        """CADUs received (received, octet) uint8 of those sent (frame, octet) uint8."""
        if not (self.bit_error_rate or self.frame_loss or self.duplication):
            return cadus
        copies = np.ones(len(cadus), np.int64)
        received = cadus.copy()
        for frame, cadu in enumerate(received):
            rng = random.stream(self.seed, "telemetry channel", self.pass_number, vcid, frame)
            lost, twice = rng.random(2) < (self.frame_loss, self.duplication)
            copies[frame] = 0 if lost else 1 + twice
            self._invert_bits(cadu, rng)
        return np.repeat(received, copies, axis=0)

    def _invert_bits(self, cadu: np.ndarray, rng: np.random.Generator) -> None:
        """Invert a binomial number of different bits of `cadu` in place."""
        bits = 8 * cadu.size
        where = rng.choice(bits, rng.binomial(bits, self.bit_error_rate), replace=False)
        np.bitwise_xor.at(cadu, where // 8, (0x80 >> where % 8).astype(np.uint8))
