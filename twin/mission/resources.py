"""Count what observing costs: seconds to turn, bits to store, seconds on air."""

from __future__ import annotations

from twin.constants import BANDS, FOVS, SETTLING_US

SLEW_RATE_DEG_S = 0.5  # deg s-1 (0.5-1 class; assumption)

SCIENCE_BITS = 8 * 2590  # space packet of one band and field of view, headers and CRC included
HOUSEKEEPING_BITS = 8 * 32  # space packet
ATTITUDE_BITS = 8 * 100  # space packet, one a second
FRAME_BITS = len(BANDS) * FOVS * SCIENCE_BITS + HOUSEKEEPING_BITS

RATE_BIT_S = 156_000_000  # bit s-1 of X-band (CNES), taken to count coded bits (assumption)
CADU_BYTES, DATA_BYTES = 1279, 1107  # a channel access data unit and the packet bytes it carries


def slew_us(angle_deg: float) -> int:
    """Return the time of a turn, settling included."""
    return round(angle_deg / SLEW_RATE_DEG_S * 1e6) + SETTLING_US


def send_us(bits: int) -> int:
    """Return the time on air of packet bits, whole us, rounded up."""
    return -(-bits * CADU_BYTES * 1_000_000 // (DATA_BYTES * RATE_BIT_S))


def pass_bits(duration_us: int) -> int:
    """Return the packet bits that whole frames bring down within a pass."""
    return duration_us // send_us(FRAME_BITS) * FRAME_BITS
