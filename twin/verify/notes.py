"""Say in words what the figures of a verdict leave out and how they are made."""

from __future__ import annotations

from twin.scenario import Scenario


def not_in_the_figure(scenario: Scenario) -> list[str]:
    """List what the figures of a run do not hold, after the switches of its scenario."""
    truth = scenario.truth
    return [
        *_spectroscopy(scenario),
        "Sun: truth and retrieval share the solar line list and continuum",
        *_particles(scenario),
        "cloud: every scene is clear"
        if truth.cloud == "none"
        else "cloud: its shadow and light from neighbouring clouds (each footprint is computed by itself)",
        "fluorescence: its shape, which both sides draw through the same published points"
        if truth.sif
        else "fluorescence: none in truth; over land the retrieval fits it",
        *([] if truth.airglow else ["airglow: none in truth; the retrieval fits it"]),
        "relief: the forecast knows the mean altitude of each footprint exactly"
        if truth.relief
        else "relief: flat at sea level",
        *([] if truth.multiple_scattering else ["multiple scattering: none in truth"]),
        *(
            []
            if truth.polarised
            else ["polarisation: none in truth, so the instrument's residual is not seen"]
        ),
        "calibration: dark rate, row means of PRNU, nonlinearity, noise and lines of sight are known exactly",
        "instrument effects the twin does not have yet: stray light, bad pixels, persistence",
    ]


def _spectroscopy(scenario: Scenario) -> list[str]:
    """Say how far the spectroscopy of truth and retrieval is one and the same."""
    truth, ground = scenario.truth, scenario.spectroscopy
    apart = {
        "nature's CO2 intensity": truth.co2_intensity_scale != 1.0,
        "nature's line mixing": truth.line_mixing,
        "nature's speed dependence": truth.speed_dependence,
        "nature's broadening by water vapour": truth.water_broadening,
        f"the ground's CO2 intensity ({ground.co2_intensity:+.2%})": ground.co2_intensity != 0.0,
        f"the ground's O2 intensity ({ground.o2_intensity:+.2%})": ground.o2_intensity != 0.0,
        f"the ground's line widths ({ground.width:+.2%})": ground.width != 0.0,
        "collision-induced absorption, which the ground lacks": not ground.cia,
    }
    named = [name for name, on in apart.items() if on]
    if named:
        return [f"spectroscopy: truth and retrieval share all of it but {', '.join(named)}"]
    same = "truth and retrieval read the same line list and continua"
    shown = "; the mismatch row shows one case" if scenario.mismatch.soundings else ""
    return [f"spectroscopy: {same}{shown}"]


def _particles(scenario: Scenario) -> list[str]:
    """Say which particles nature has, and that what the retrieval takes them for is not the same."""
    truth = scenario.truth
    fits = scenario.settings.get("l2", {}).get("mode", "full") == "full"
    retrieved = "the retrieval fits some" if fits else "none retrieved"
    aerosol = bool(truth.aerosol) or truth.aerosol_climatology
    held = [name for name, on in (("aerosol", aerosol), ("cirrus", truth.cirrus is not None)) if on]
    lacking = [name for name in ("aerosol", "cirrus") if name not in held]
    said = [f"{name}: none in truth, {retrieved}" for name in lacking]
    if held:
        met = "other kinds of particles fitted to it" if fits else "the retrieval has none"
        said.append(f"{' and '.join(held)}: in truth; {met}, so its effect is in the figure")
    return said


METHODS = {
    "counted": "error figures count the soundings whose retrieval converged; the others are counted apart",
    "kept": "figures that begin with kept count what converged with a good quality flag",
    "anomaly": (
        "least-squares slope of retrieved on true XCO2 over the converged soundings; the noise of the "
        "retrieval does not bias it, a kernel other than 1 where the anomaly lies does"
    ),
    "prior leak": "mean of (retrieved - true) / mean of (prior - true), none below 0.5 ppm of it",
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
