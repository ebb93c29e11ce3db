"""List the faults: by name what is done, to what, and what must hold in the run that has it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from twin.faults import clock, link, packet
from twin.faults.hits import Hits

if TYPE_CHECKING:  # xarray is slow to load
    import xarray as xr

Random = np.random.Generator
Content = Callable[["xr.Dataset", Hits], "xr.Dataset"]
Packets = Callable[[packet.Channels, Hits, Random], packet.Channels]
Clock = Callable[[np.ndarray, int], np.ndarray]
Link = Callable[[np.ndarray, int, Hits, Random], np.ndarray]

RECOVERED = "every sounding comes out bit for bit as without the fault"
FLAGGED = "what it touched is missing with a reason or flagged; every other sounding is bit for bit the same"
LOST = "what it touched is missing with a reason; every other sounding is bit for bit the same"
ASSERTIONS = {"recovered": RECOVERED, "flagged": FLAGGED, "lost": LOST}
HANG_LIMIT_S = 25.0  # s, of a step that takes one


@dataclass(frozen=True)
class Fault:
    """One injection. `shows` names counters and the least they must reach: proof that the fault struck."""

    name: str
    family: str
    what: str
    outcome: str = "recovered"  # key of ASSERTIONS
    shows: Mapping[str, int] = field(default_factory=dict)
    content: Content | None = None
    packets: Packets | None = None
    clock: Clock | None = None
    link: Link | None = None
    overlap: bool = False  # two stations receive, each a part, some of it both
    first_frame_count: int = 0
    first_sequence_count: int = 0
    step: str = ""  # processing step whose program is struck
    own_inputs: tuple[str, ...] = ()  # auxiliary files of which the faulty run has copies of its own
    attempts: int = 1  # of each program; more where repeating can help
    timeout_s: float | None = None

    @property
    def assertion(self) -> str:
        return ASSERTIONS[self.outcome]


def content_of(name: str) -> Content:
    """Find a change of content; its module needs xarray and is loaded when it is used."""

    def change(exposed: xr.Dataset, hits: Hits) -> xr.Dataset:
        from twin.faults import content

        changed: xr.Dataset = getattr(content, name)(exposed, hits)
        return changed

    return change


def _link(name: str, what: str, hook: Link, outcome: str = "recovered", **shows: int) -> Fault:
    return Fault(name, "link", what, outcome, shows, link=hook)


def _packet(name: str, what: str, hook: Packets, outcome: str = "flagged", **shows: int) -> Fault:
    return Fault(name, "packet", what, outcome, shows, packets=hook)


def _clock(name: str, what: str, hook: Clock) -> Fault:
    return Fault(name, "time", what, "flagged", {"flagged_time_suspect": 1}, clock=hook)


def _content(name: str, what: str, hook: str, **shows: int) -> Fault:
    return Fault(name, "content", what, "flagged", shows, content=content_of(hook))


def _file(name: str, what: str, **shows: int) -> Fault:
    return Fault(name, "file", what, shows=shows or {"attempts": 2}, step="l0", attempts=3)


def _program(name: str, what: str, step: str, timeout_s: float | None = None) -> Fault:
    return Fault(
        name, "resource", what, shows={"attempts": 2}, step=step, attempts=3, timeout_s=timeout_s
    )  # fmt: skip


def _auxiliary(name: str, what: str, step: str, key: str) -> Fault:
    return Fault(
        name, "auxiliary", what, shows={"attempts": 2}, step=step, own_inputs=(key,), attempts=3
    )  # fmt: skip


CATALOGUE: tuple[Fault, ...] = (
    _link(
        "bit_errors", "16 wrong octets in every codeword of every frame", link.correctable_errors,
        symbols_corrected=80, packets_corrected=1,
    ),
    _link(
        "bit_errors_beyond_limit", "17 wrong octets in a codeword of every tenth science frame",
        link.uncorrectable_errors, "flagged", cadus_uncorrectable=1, frames_rejected=1,
    ),
    _link("burst", "400 bits in a row inverted in every frame", link.burst, symbols_corrected=50),
    _link(
        "long_burst", "three science frames in a row replaced by noise", link.long_burst, "flagged",
        frames_missing=1,
    ),
    _link("sync_marker_damage", "the sync marker of every fifth frame inverted", link.damaged_markers,
          markers_damaged=1),
    _link(
        "frame_slip", "7 octets lost within a science frame, 5 added within another", link.frame_slip,
        "flagged", bytes_skipped=1,
    ),
    _link("frames_lost", "two science frames not received", link.lost_frames, "flagged", frames_missing=2),
    _link("pass_cut_short", "signal lost at 70 % of the pass", link.cut_short, "flagged",
          packets_at_the_ends=1),
    Fault(
        "stations_overlap", "link", "two stations receive 60 % each, 20 % of it both",
        shows={"passes": 2, "packets_in_two_passes": 1}, overlap=True,
    ),
    Fault(
        "counter_wrap", "link", "the frame counter of every virtual channel starts at 250",
        shows={"frame_count_wraps": 1}, first_frame_count=250,
    ),
    _packet("packet_loss", "three science packets and one of attitude dropped", packet.lost_packets,
            packets_missing=4),
    _packet("packet_duplicate", "five science packets sent twice", packet.repeated_packets, "recovered",
            packets_duplicate=5),
    _packet("packet_swap", "five pairs of science packets sent in the other order", packet.swapped_packets,
            "recovered", packets_out_of_order=1),
    _packet("length_flip", "a bit of the length field of a science packet inverted", packet.length_flip,
            packets_quarantined=1),
    _packet("apid_flip", "a science packet under an APID of no application", packet.apid_flip,
            packets_missing=1, remains=1),
    Fault(
        "sequence_wrap", "packet", "the sequence counts start at 16380", shows={"sequence_count_wraps": 1},
        first_sequence_count=16_380,
    ),
    Fault(
        "sequence_reset", "packet", "the counts of science packets fall from 9000 to 0 in the middle",
        shows={"sequence_count_wraps": 1}, packets=packet.reset_counts, first_sequence_count=9000,
    ),
    _packet("segment_missing", "one band of a frame not sent", packet.lost_band, packets_missing=3,
            flagged_band_missing=3),
    _clock("clock_jump", "the on-board clock an hour fast from the middle on", clock.jump),
    _clock("clock_drift", "the on-board clock fast by 2 % from the middle on", clock.drift),
    _clock("clock_backwards", "the on-board clock falls back by 10 s in the middle", clock.backwards),
    _clock("clock_epoch", "the on-board clock starts at 1980-01-06 again in the middle", clock.epoch),
    _content("saturated_band", "all rows of B1 saturated in one frame", "saturated", flagged_saturated=3),
    _content("dead_band", "B3 reads zeros in one frame", "dead", flagged_dark=3),
    _content("stuck_band", "B3 repeats its counts over three frames", "stuck", flagged_band_stuck=9),
    _packet("wrong_mode_word", "science packets of a frame with another mode than its housekeeping",
            packet.wrong_mode, flagged_mode_suspect=3),
    _packet("missing_attitude", "six seconds without attitude packets", packet.missing_attitude,
            packets_missing=6, flagged_geolocation_extrapolated=3),
    _file("file_truncated", "the science stream delivered half, whole when asked again"),
    _file("file_empty", "the science stream delivered empty, whole when asked again"),
    _file("file_half_written", "the science stream read while it is written"),
    _file("file_renamed", "the science stream under another name, then under its own"),
    _file("file_checksum_mismatch", "one octet of the science stream altered, right when asked again"),
    _file("file_late", "the science stream not there, there when asked again"),
    _file("file_redelivered_changed", "the science stream delivered again with other content",
          refused_again=1, product_unchanged=1),
    _file("file_duplicated", "the science stream delivered again unchanged", product_unchanged=1),
    _program("disk_full", "no room for the L1B product at the first attempt", "l1b"),
    _program("memory_full", "no memory for L1B at the first attempt", "l1b"),
    _program("worker_killed", "the L2 program killed while it works", "l2"),
    _program("processor_crash", "L2 ends with an exception at the first attempt", "l2"),
    Fault(
        "processor_crash_lasting", "resource", "L2 ends with an exception whenever it gets the first granule",
        "lost", {"soundings_missing": 1, "attempts": 3}, step="l2", attempts=3,
    ),
    _program("processor_hang", "L0 does not end; it is stopped and started again", "l0", HANG_LIMIT_S),
    _program("wrong_output", "L1B delivers other soundings than it was given, with exit code 0", "l1b"),
    _program("torn_output", "L1B delivers half a file with exit code 0", "l1b"),
    _auxiliary("prior_missing", "the forecast not there when L2 starts", "l2", "prior"),
    _auxiliary("ckd_expired", "calibration data out of date when L1B starts", "l1b", "ckd"),
)  # fmt: skip
BY_NAME: dict[str, Fault] = {fault.name: fault for fault in CATALOGUE}
ALL = "all"


def chosen(names: list[str]) -> list[Fault]:
    """Return the faults of these names in the order of the catalogue; `all` names every one."""
    return [fault for fault in CATALOGUE if fault.name in names or ALL in names]


def unknown(name: str) -> str:
    """Say what is wrong with the name of a fault; empty when the catalogue has it."""
    if name == ALL or name in BY_NAME:
        return ""
    near = difflib.get_close_matches(name, BY_NAME, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"choose among all, {', '.join(BY_NAME)}"
    return f"expected a fault of the catalogue, got {name!r}; {hint}"
