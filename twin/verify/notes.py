"""Say in words what the figures of a verdict leave out and how they are made."""

from __future__ import annotations

NOT_IN_THE_FIGURE = (
    "spectroscopy: truth and retrieval read the same line list and continua; the mismatch row shows one case",
    "Sun: truth and retrieval share the solar line list and continuum",
    "aerosol: none in truth, none retrieved",
    "cloud: every scene is clear",
    "instrument effects the twin does not have yet: stray light, polarisation, bad pixels, persistence",
)

METHODS = {
    "counted": "error figures count the soundings whose retrieval converged; the others are counted apart",
    "mean interval": (
        "95 %, jackknife leaving out one granule of 12 soundings (36 km of track) at a time, Student's t; "
        "errors common to all granules (calibration, forecast errors correlated over 200 km) lie outside it; "
        "a single granule is split into its soundings, taken as independent"
    ),
    "kernel-smoothed truth": (
        "xco2_apriori + sum_j h_j a_j (x_true - x_a)_j, the true profile averaged around each level of L2 "
        "with a weight that falls linearly in pressure to zero at the neighbouring levels"
    ),
    "ratio": (
        "scatter of (retrieved - kernel-smoothed truth) / rms of the reported noise sigma; 95 % by "
        "chi-square with n - 1 degrees of freedom, errors taken as independent; errors of other state "
        "elements add to it"
    ),
    "raw ratio": (
        "rms of (retrieved - truth) / rms of the reported total sigma; expected at 1 only where true "
        "profiles vary like the prior covariance"
    ),
    "real time": "2.3 soundings/s; wall times of the stages up to L2, mismatch soundings included",
}
