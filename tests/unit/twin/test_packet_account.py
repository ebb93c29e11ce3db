"""Where each packet of a hand-written stream ended, and that nothing passes without a cause."""

from __future__ import annotations

import csv
from pathlib import Path

import netCDF4
import pytest

from twin.verify import packets

SCIENCE, ATTITUDE = 256, 258


def states(root: Path) -> dict[str, int]:
    table = packets.account(root).table
    return {kind: sum(row[kind] for row in table) for kind in (*packets.KINDS, "unaccounted")}


def rewrite(root: Path, change) -> None:
    path = root / "sent_packets.csv"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    change(rows)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def edit(root: Path, change) -> None:
    with netCDF4.Dataset(root / "l0" / "l0.nc", "a") as file:
        change(file)


def test_each_state_has_its_packets_and_each_loss_its_cause(fake_run):
    root = fake_run.write()
    assert states(root) == {
        "accepted": 164 - 9,
        "corrected": 3,
        "quarantined": 3,
        "missing": 3,
        "unaccounted": 0,
    }
    assert packets.account(root).reasons == {"quarantined: damaged": 3, "missing: damaged": 3}


def test_a_loss_without_a_cause_is_unaccounted(fake_run):
    root = fake_run.write()
    rewrite(root, lambda rows: rows[2].update(hit=""))
    assert states(root)["unaccounted"] == 1


def test_quarantine_without_a_cause_is_unaccounted(fake_run):
    root = fake_run.write()
    rewrite(root, lambda rows: rows[1].update(hit=""))
    assert (states(root)["quarantined"], states(root)["unaccounted"]) == (2, 1)


def test_quarantine_of_what_was_never_sent_is_unaccounted(fake_run):
    root = fake_run.write()

    def invent(file):
        file["quarantine_sequence_count"][0] = 9000

    edit(root, invent)
    assert packets.account(root).reasons["unaccounted: packets in the quarantine of L0 that were never sent"]


def test_counts_that_begin_again_are_seen_where_they_were_received(fake_run):
    root = fake_run.write()
    assert packets.account(root).counters["sequence_count_wraps"] == 0

    def wrap(file):
        counts = file["sequence_count"][:]
        file["sequence_count"][:] = (counts + 16_380) % 16_384

    edit(root, wrap)
    assert packets.account(root).counters["sequence_count_wraps"] == 3  # of each kind


def test_a_loss_within_the_pass_that_l0_does_not_tell_is_unaccounted(fake_run):
    root = fake_run.write()

    def forget(file):
        file["gap_packets"][0] = 0

    edit(root, forget)
    assert states(root)["unaccounted"] == 1
    assert packets.account(root).reasons["unaccounted: damaged; in no gap of L0"] == 1


def test_losses_beyond_the_last_packet_received_are_known_here_alone(fake_run):
    fake_run.sent = {SCIENCE: 100, 257: 8, ATTITUDE: 60}
    root = fake_run.write()

    def cut(rows):
        for row in rows[96:100]:
            row["hit"] = "frame 3: after the loss of signal"

    rewrite(root, cut)
    found = packets.account(root)
    assert found.table[0]["missing"] == 5
    assert found.counters["packets_at_the_ends"] == 4
    assert found.reasons[f"missing: after the loss of signal; {packets.AT_THE_ENDS}"] == 4
    assert states(root)["unaccounted"] == 0


def test_gaps_that_l0_makes_up_are_unaccounted(fake_run):
    root = fake_run.write()

    def invent(file):
        file["gap_packets"][0] = 7000

    edit(root, invent)
    assert states(root)["unaccounted"] == 6999


def test_counters_that_differ_from_the_contents_are_unaccounted(fake_run):
    root = fake_run.write()

    def miscount(file):
        file["packets_accepted"][...] = file["packets_accepted"][...] + 2

    edit(root, miscount)
    assert states(root)["unaccounted"] == 2


@pytest.mark.parametrize("octet", [3, 7, 15])
def test_a_packet_with_any_other_header_is_a_stranger(fake_run, octet):
    root = fake_run.write()

    def alter(file):
        at = int(file["packet_offset"][5]) + octet
        file["packet_data"][at] = (int(file["packet_data"][at]) + 1) % 256

    edit(root, alter)
    assert states(root)["unaccounted"] == 2  # one sent that did not come, one that came and was not sent


def test_a_packet_received_in_two_passes_counts_once(fake_run):
    root = fake_run.write()
    (root / "l0" / "l0_again.nc").write_bytes((root / "l0" / "l0.nc").read_bytes())
    found = packets.account(root)
    assert states(root)["accepted"] == 155
    assert found.counters["passes"] == 2
    assert found.counters["packets_in_two_passes"] == 158
