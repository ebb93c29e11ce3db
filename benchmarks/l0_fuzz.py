"""Feed L0 damaged and forged telemetry and hold what it says against what was sent.

Usage: python benchmarks/l0_fuzz.py [--cases 100000] [--seed 1] [--stream FILE.cadu]
A case is a pass of some packets, changed at one of three heights: packets (fields, lengths, order), frames
(headers, pointers, content; coded anew, so that nothing but L0's own care stands in the way), or the bytes of
the stream (bits, bursts, cuts, rubbish, units swapped, lost and sent twice). FILE.cadu, of a run, gives real
bytes to damage.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors.l0 import step
from twin.telemetry import frames, packets

SLOWEST_S = 2.0  # a case, of at most 60 kB; an endless loop would show
CADU = frames.CADU_BYTES
Rng = np.random.Generator


@dataclass(frozen=True)
class Case:
    """What a station receives, and the sound packets that were sent; L0 may accept no other.

    none sent: not known, the damage was given the right checks. whole: nothing is damaged, all must arrive.
    """

    stream: np.ndarray
    sent: frozenset[bytes]
    named: str

    @property
    def whole(self) -> bool:
        return not self.named


@dataclass(frozen=True)
class Real:
    """The stream of a run and its packets."""

    stream: np.ndarray
    sent: frozenset[bytes]


def made(rng: Rng) -> list[np.ndarray]:
    """Make some packets of the three kinds with sequence counts near a wrap."""
    first, boot = int(rng.integers(16_370, 16_384)), int(rng.integers(0, 3))
    out, count = [], Counter[int]()
    for _ in range(int(rng.integers(1, 9))):
        apid = int(rng.choice([packets.SCIENCE, packets.HOUSEKEEPING, packets.ATTITUDE], p=[0.2, 0.6, 0.2]))
        size = packets.LAYOUT[apid].itemsize
        row = rng.integers(0, 256, size, np.uint8)
        sequence = packets.UNSEGMENTED | (first + count[apid]) % packets.SEQUENCE_MODULO
        count[apid] += 1
        head = np.array([packets.SECONDARY_HEADER | apid, sequence, size - 7], ">u2")
        row[:6], row[14:16] = head.view(np.uint8), np.array([boot], ">u2").view(np.uint8)
        out.append(sealed(row))
    return out


def sealed(row: np.ndarray) -> np.ndarray:
    """Set a packet's check."""
    row[-2:] = packets.crc16(row[None, :-2]).astype(">u2").view(np.uint8)
    return row


def sound(row: np.ndarray) -> bool:
    return row.size > 2 and int(packets.crc16(row[None, :-2])[0]) == int(row[-2:].view(">u2")[0])


def flip(rng: Rng, data: np.ndarray, first: int = 0, last: int | None = None) -> None:
    at = rng.integers(first, data.size if last is None else last, int(rng.integers(1, 9)))
    data[at] ^= rng.integers(1, 256, at.size, np.uint8)


# --- packets -----------------------------------------------------------------------------------------------
def other_length(rng: Rng, rows: list[np.ndarray]) -> None:
    flip(rng, rows[int(rng.integers(len(rows)))], 4, 6)


def other_header(rng: Rng, rows: list[np.ndarray]) -> None:
    row = rows[int(rng.integers(len(rows)))]
    flip(rng, row, 0, 16)
    if rng.random() < 0.5:
        sealed(row)


def other_bytes(rng: Rng, rows: list[np.ndarray]) -> None:
    flip(rng, rows[int(rng.integers(len(rows)))], 16)


def other_order(rng: Rng, rows: list[np.ndarray]) -> None:
    rng.shuffle(rows)  # type: ignore[arg-type]


def lost_and_twice(rng: Rng, rows: list[np.ndarray]) -> None:
    rows[:] = [row for row in rows for _ in range(int(rng.choice([0, 1, 1, 2])))] or rows[:1]


def cut_short(rng: Rng, rows: list[np.ndarray]) -> None:
    n = int(rng.integers(len(rows)))
    rows[n] = rows[n][: int(rng.integers(7, rows[n].size))]


# --- frames ------------------------------------------------------------------------------------------------
def other_frame_header(rng: Rng, own: np.ndarray) -> np.ndarray:
    flip(rng, own[int(rng.integers(len(own)))], 0, 6)
    return own


def other_pointer(rng: Rng, own: np.ndarray) -> np.ndarray:
    own[int(rng.integers(len(own))), 4:6] = np.array([0x1800 | int(rng.integers(0, 2048))], ">u2").view(
        np.uint8
    )
    return own


def other_content(rng: Rng, own: np.ndarray) -> np.ndarray:
    row = own[int(rng.integers(len(own)))]
    first = int(rng.integers(6, 1112))
    end = int(rng.integers(first + 1, 1114))
    row[first:end] = (
        rng.choice([0, 255]) if rng.random() < 0.3 else rng.integers(0, 256, end - first, np.uint8)
    )
    return own


def frames_moved(rng: Rng, own: np.ndarray) -> np.ndarray:
    return own[rng.integers(0, len(own), int(rng.integers(1, len(own) + 3)))]


# --- bytes of the stream -----------------------------------------------------------------------------------
def bits(rng: Rng, stream: np.ndarray) -> np.ndarray:
    errors = rng.binomial(8 * stream.size, 10.0 ** rng.uniform(-5.0, -1.3))
    at = rng.integers(0, 8 * stream.size, errors)
    np.bitwise_xor.at(stream, at // 8, (1 << (at % 8)).astype(np.uint8))
    return stream


def burst(rng: Rng, stream: np.ndarray) -> np.ndarray:
    first, size = int(rng.integers(stream.size)), int(rng.integers(1, 400))
    stream[first : first + size] = rng.integers(0, 256, stream[first : first + size].size, np.uint8)
    return stream


def bytes_lost(rng: Rng, stream: np.ndarray) -> np.ndarray:
    first = int(rng.integers(stream.size))
    return np.delete(stream, slice(first, first + int(rng.integers(1, 2000))))


def bytes_added(rng: Rng, stream: np.ndarray) -> np.ndarray:
    rubbish = rng.integers(0, 256, int(rng.integers(1, 2000)), np.uint8)
    if rng.random() < 0.5:  # that looks like the beginning of a unit
        rubbish[: frames.SYNC_MARKER.size] = frames.SYNC_MARKER[: rubbish.size]
    return np.insert(stream, int(rng.integers(stream.size + 1)), rubbish)


def units_moved(rng: Rng, stream: np.ndarray) -> np.ndarray:
    units = stream[: stream.size // CADU * CADU].reshape(-1, CADU)
    if not len(units):
        return stream
    return units[rng.integers(0, len(units), int(rng.integers(1, len(units) + 3)))].reshape(-1)


def markers_spoilt(rng: Rng, stream: np.ndarray) -> np.ndarray:
    for first in range(0, stream.size - 4, CADU):
        if rng.random() < 0.4:
            flip(rng, stream, first, first + 4)
    return stream


def cut(rng: Rng, stream: np.ndarray) -> np.ndarray:
    return stream[: int(rng.integers(0, stream.size + 1))]


OF_PACKETS = (other_length, other_header, other_bytes, other_order, lost_and_twice, cut_short)
OF_FRAMES = (other_frame_header, other_pointer, other_content, frames_moved)
OF_BYTES = (bits, burst, bytes_lost, bytes_added, units_moved, markers_spoilt, cut)


def case(rng: Rng, real: Real | None = None) -> Case:
    """Make a case; some are damaged at more than one height, or twice, one in twenty not at all."""
    rows, named = made(rng), []
    height = rng.choice(["packets", "frames", "bytes", "all", "none"], p=[0.25, 0.25, 0.25, 0.2, 0.05])
    if height in ("packets", "all"):
        named.append(change(rng, OF_PACKETS, rows)[0])
    sent = frozenset(row.tobytes() for row in rows if sound(row))
    data, pointer = frames._multiplex([row.tobytes() for row in rows])
    own = frames._frames(data, pointer, int(rng.integers(0, 8)), np.arange(len(data)))
    if height in ("frames", "all"):
        name, own = change(rng, OF_FRAMES, own)
        own[:, -2:] = packets.crc16(own[:, :-2]).astype(">u2").view(np.uint8).reshape(-1, 2)
        named.append(name)
        if name == other_content.__name__:  # a check of 16 bits agrees by chance once in 65,536
            sent = frozenset()
    stream = frames._cadus(own).reshape(-1)
    if real is not None and height == "bytes":
        first = int(rng.integers(0, max(real.stream.size - 30 * CADU, 1)))
        stream, sent, named = real.stream[first : first + 30 * CADU].copy(), real.sent, ["real"]
    for _ in range(int(rng.integers(1, 4)) if height in ("bytes", "all") else 0):
        name, stream = change(rng, OF_BYTES, stream)
        named.append(name)
        if not stream.size:
            break
    return Case(stream, sent, "+".join(named))


def change(rng: Rng, ways: tuple[Callable, ...], what):  # type: ignore[no-untyped-def]
    """Change something in one of some ways; return its name and what came out."""
    way = ways[int(rng.integers(len(ways)))]
    return way.__name__, way(rng, what)


def accepted(said: dict[str, np.ndarray]) -> list[bytes]:
    content, places = said["packet_data"], zip(said["packet_offset"], said["packet_length"], strict=True)
    return [content[first : first + size].tobytes() for first, size in places]


def complaint(one: Case) -> str | None:
    """Run L0 on a case; return what is wrong with what it says."""
    start = time.process_time()
    try:
        said = step.process([one.stream])
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if time.process_time() - start > SLOWEST_S:
        return f"took {time.process_time() - start:.1f} s"
    kept = accepted(said)
    wrong = {
        "accepted a packet that was not sent": one.sent and not one.sent.issuperset(kept),
        "accepted a packet twice": len(set(kept)) < len(kept),
        "lost a packet of a whole pass": one.whole and one.sent != set(kept),
        "missed something in a whole pass": one.whole
        and any(said[f"{what}_missing"] for what in ("packets", "frames")),
        "gave more bytes than it got": said["packet_data"].size + said["quarantine_data"].size
        > one.stream.size,
        # out of step units may overlap
        "counted more units than there are": said["cadus_received"] > 2 * (one.stream.size // CADU) + 2,
        "an account that does not add up": len(kept)
        != sum(said[f"account_{name}"].sum() for name in ("accepted", "corrected")),
    }
    return next((text for text, so in wrong.items() if so), None)


def warm() -> None:
    """Compile L0's kernels, also those that only damage calls for."""
    for n in range(50):
        step.process([case(np.random.default_rng((0, n))).stream])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stream", type=Path)
    given = parser.parse_args()
    real = None
    if given.stream:
        stream = np.fromfile(given.stream, np.uint8)
        real = Real(stream, frozenset(accepted(step.process([stream]))))
    warm()
    start, found, ways = time.perf_counter(), Counter[str](), Counter[str]()
    for n in range(given.cases):
        one = case(np.random.default_rng((given.seed, n)), real)
        ways.update(one.named.split("+"))
        if said := complaint(one):
            found[said] += 1
            if found[said] <= 3:
                print(f"case {n} ({one.named}): {said}")
        if n % 1000 == 0:
            print(f"\r{n} of {given.cases}", end="", file=sys.stderr)
    print("\n| damage | cases |\n|---|---|")
    for way, times in ways.most_common():
        print(f"| {way or 'none'} | {times} |")
    print(f"\n{given.cases} cases in {time.perf_counter() - start:.0f} s, {sum(found.values())} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
