"""Hold what planning takes for granted: limits of view and Sun, worth of time, steps of its grid."""

from __future__ import annotations

from twin.mission.pointing import SZA_LIMIT_DEG, VZA_LIMIT_DEG

GLINT_SZA_DEG = SZA_LIMIT_DEG  # deg, at most, at the mirroring point
GLINT_BELOW_SZA_DEG = (
    96.0  # deg, at most, below the satellite: the mirroring point is searched for up to there
)
SITE_VZA_DEG = VZA_LIMIT_DEG  # deg, at most, of the satellite from target and city
SITE_SZA_DEG = 75.0  # deg, at most, at target and city (assumption)
NADIR_SZA_DEG = 80.0  # deg, at most, of the default observation of land (assumption)
NIGHT_SZA_DEG = 100.0  # deg, at least, below the satellite in dark and lamp (assumption)
SUN_SZA_DEG = (90.0, 105.0)  # deg, below the satellite in a view of the Sun, which stands free (assumption)

STEP_US = 10_000_000  # us, grid of the default observation
BRIDGE_US = 120_000_000  # us, a shorter stretch of land or sea is not worth two slews (assumption)
CONTEXT_US = 1_800_000_000  # us, known of the orbit before and after a day that is planned
LONGEST_SLEW_US = 365_000_000  # us, half a turn and settling
SPARE_US = 10_000  # us, left beside every slew, for rounding

WORTH_OF_PRIORITY_S = 60  # s of default observation that one point of priority outweighs (assumption)
SHIFTS_US = (0, -60_000_000, 60_000_000)  # us, of a stare from closest approach
SHIFTED_WORTH = 0.9  # of a stare off closest approach (assumption)
STARTS_A_NIGHT = 3  # candidate times of dark and lamp in each night, evenly spaced
