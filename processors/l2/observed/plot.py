"""Draw measured and modelled spectra with what is left between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from processors.job import BadInput


@dataclass(frozen=True)
class Panel:
    """One band or window: arrays (spectel) of what was fitted."""

    title: str
    abscissa: str  # name and unit of `at`
    at: np.ndarray
    measured: np.ndarray
    modelled: np.ndarray

    @property
    def residual_percent(self) -> np.ndarray:
        """Measured less modelled, % of the brightest modelled."""
        return 100.0 * (self.measured - self.modelled) / self.modelled.max()


def check() -> None:
    """Refuse before a long fit if nothing can be drawn."""
    _figure(1)


def draw(panels: Sequence[Panel], headline: str, path: Path) -> None:
    """Write one picture (format after the file's ending): a row a panel, spectra above, residual below."""
    figure, axes = _figure(len(panels))
    for (above, below), panel in zip(axes, panels, strict=True):
        rms = np.sqrt(np.mean(panel.residual_percent**2))
        above.plot(panel.at, panel.measured, ".", color="black", markersize=2, label="measured")
        above.plot(panel.at, panel.modelled, color="tab:red", linewidth=0.7, label="modelled")
        above.set_title(f"{panel.title}, residual rms {rms:.3f} %", fontsize=10)
        above.set_ylabel("signal")
        above.legend(loc="lower right", fontsize=8)
        below.plot(panel.at, panel.residual_percent, color="tab:blue", linewidth=0.7)
        below.axhline(0.0, color="black", linewidth=0.5)
        below.set_ylabel("residual (%)")
        below.set_xlabel(panel.abscissa)
    figure.suptitle(headline, fontsize=11)
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: expected to write a picture, got {error}: choose a .png or .pdf") from error


def _figure(rows: int) -> tuple[Any, list[tuple[Any, Any]]]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BadInput(
            "matplotlib: expected for a picture, got none: `pip install matplotlib` or leave --out away"
        ) from error
    figure = Figure(figsize=(11.0, 4.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2 * rows, 1, height_ratios=[2.2, 1.0] * rows)
    axes = []
    for row in range(rows):
        above = figure.add_subplot(grid[2 * row])
        axes.append((above, figure.add_subplot(grid[2 * row + 1], sharex=above)))
    return figure, axes
