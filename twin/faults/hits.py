"""Keep what a fault touched: soundings, packets by their row among those sent, frames of a channel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Place = tuple[int, int]  # (virtual channel, number)


@dataclass
class Hits:
    soundings: set[int] = field(default_factory=set)
    packets: dict[int, str] = field(default_factory=dict)  # row of the table of packets sent -> what
    frames: dict[Place, str] = field(default_factory=dict)  # (virtual channel, frame sent) -> what
    renumbered: dict[int, bytes] = field(default_factory=dict)  # row -> packet made with another count

    def sounding(self, ids: Iterable[int]) -> None:
        self.soundings.update(int(key) for key in ids)

    def packet(self, row: int, what: str) -> None:
        self.packets[row] = what

    def frame(self, vcid: int, number: int, what: str) -> None:
        self.frames[vcid, number] = what
