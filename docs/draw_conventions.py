"""Draw docs/figures/conventions.png: body frame, footprint corners, zenith angles and azimuths."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc

BLUE, RED, GREEN, GREY, AMBER = "#1f5fa8", "#c0392b", "#1b7f4d", "#777777", "#d68a00"
FOV_COLOURS = ("#8fb8de", "#c9dcef", "#8fb8de")


def arrow(axes: Axes, start: tuple, end: tuple, colour: str, width: float = 1.8, style: str = "-|>") -> None:
    properties = {"arrowstyle": style, "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=properties)


def clean(axes: Axes, title: str, x: tuple, y: tuple) -> None:
    axes.set(xlim=x, ylim=y, aspect="equal")
    axes.set_title(title, fontsize=11, loc="left")
    axes.axis("off")


def draw_body(axes: Axes) -> None:
    """Nadir mode seen from behind the satellite: flight into the page, left of flight on the left."""
    clean(
        axes, "a  Body frame, seen from behind\n    (flight and +x into the page)", (-3.4, 3.4), (-0.9, 5.2)
    )
    axes.plot([-3.1, 3.1], [0, 0], color=GREY, lw=2)
    edges, top = np.array([-2.25, -0.75, 0.75, 2.25]), (0.0, 4.2)
    for fov in range(3):
        corners = [top, (edges[fov], 0), (edges[fov + 1], 0)]
        axes.fill(*zip(*corners, strict=True), color=FOV_COLOURS[fov], alpha=0.75, lw=0)
        axes.text(edges[fov] + 0.75, -0.3, f"FOV {fov + 1}", ha="center", va="center", fontsize=10)
    axes.text(-1.5, -0.68, "left", ha="center", color=GREY, fontsize=9)
    axes.text(1.5, -0.68, "right", ha="center", color=GREY, fontsize=9)
    axes.text(0.12, 0.28, "each 4.5 km / 648.9 km wide", fontsize=8, ha="center", color=BLUE)
    arrow(axes, top, (0, 1.9), RED)
    axes.text(0.12, 1.95, "+z boresight", color=RED, fontsize=10)
    arrow(axes, top, (1.9, 4.2), GREEN)
    axes.text(1.25, 4.38, "+y = z × x", color=GREEN, fontsize=10)
    axes.plot(*top, "o", ms=15, mfc="white", mec=BLUE, mew=1.8)
    axes.plot(*top, "x", ms=9, color=BLUE, mew=1.8)
    axes.text(-0.3, 4.38, "+x flight", color=BLUE, fontsize=10, ha="right")
    axes.text(-3.3, 3.15, "line of sight =\n(0, sin α, cos α)\nα > 0 to the right", fontsize=9, color=GREY)


def draw_footprints(axes: Axes) -> None:
    """Three footprints of one frame from above, flight towards the bottom as on a descending pass."""
    clean(
        axes, "b  One frame from above\n    (descending: left of flight is east)", (-1.5, 16.2), (-3.2, 12.9)
    )
    for fov in range(3):
        left = 13.5 - 4.5 * fov
        corners = [(left, 8.9), (left - 4.5, 8.9), (left - 4.5, 0), (left, 0)]
        axes.fill(*zip(*corners, strict=True), fc=FOV_COLOURS[fov], ec=BLUE, lw=1.4)
        axes.text(left - 2.25, 5.3, f"FOV {fov + 1}", ha="center", fontsize=10)
        axes.plot(left - 2.25, 4.45, "+", color=RED, ms=10, mew=1.8)
    labels = ("0", "1", "2", "3")
    for (x, y), label, shift in zip(
        [(13.5, 8.9), (9, 8.9), (9, 0), (13.5, 0)],
        labels,
        [(-0.5, -0.65), (0.5, -0.65), (0.5, 0.65), (-0.5, 0.65)],
        strict=True,
    ):
        axes.text(
            x + shift[0], y + shift[1], label, ha="center", va="center", fontsize=11, color=RED, weight="bold"
        )
    axes.text(6.75, 9.35, "exposure start", ha="center", fontsize=9, color=GREY)
    axes.text(6.75, -0.8, "exposure end, + 1.304 s", ha="center", fontsize=9, color=GREY)
    axes.text(2.25, 3.4, "time stamp,\ncentre", ha="center", va="top", fontsize=8, color=RED)
    arrow(axes, (-0.8, 8.2), (-0.8, 1.2), BLUE, 2.2)
    axes.text(-1.15, 4.5, "flight, +x", rotation=90, ha="center", va="center", color=BLUE, fontsize=10)
    arrow(axes, (14.6, 0), (14.6, 8.9), GREY, 1.2, "<|-|>")
    axes.text(15.1, 4.45, "8.9 km", rotation=90, va="center", fontsize=9, color=GREY)
    arrow(axes, (9, -1.7), (13.5, -1.7), GREY, 1.2, "<|-|>")
    axes.text(11.25, -2.6, "4.5 km", ha="center", fontsize=9, color=GREY)
    arrow(axes, (1.0, 10.6), (1.0, 12.2), GREY, 1.5)
    axes.text(1.0, 12.35, "N", ha="center", fontsize=10, color=GREY)
    arrow(axes, (1.0, 10.6), (2.6, 10.6), GREY, 1.5)
    axes.text(2.85, 10.6, "E", va="center", fontsize=10, color=GREY)


def draw_zenith(axes: Axes) -> None:
    """Zenith angles, glint plane and the sign of the recession speed, from the side."""
    clean(
        axes,
        "c  Zenith angles in glint, from the side\n    (plane of Sun and satellite)",
        (-3.6, 3.6),
        (-0.9, 4.3),
    )
    axes.plot([-3.4, 3.4], [0, 0], color=GREY, lw=2)
    axes.plot([0, 0], [0, 3.5], color=GREY, lw=1, ls="--")
    axes.text(0, 3.6, "normal of the WGS-84 ellipsoid", ha="center", fontsize=9, color=GREY)
    angle = np.radians(40)
    sun, satellite = (-3.4 * np.sin(angle), 3.4 * np.cos(angle)), (3.4 * np.sin(angle), 3.4 * np.cos(angle))
    arrow(axes, sun, (0, 0), AMBER)
    arrow(axes, (0, 0), satellite, BLUE)
    axes.plot(*sun, "o", ms=17, color=AMBER)
    axes.plot(*satellite, "s", ms=12, color=BLUE)
    axes.add_patch(Arc((0, 0), 2.6, 2.6, theta1=90, theta2=130, color=AMBER, lw=1.6))
    axes.add_patch(Arc((0, 0), 2.2, 2.2, theta1=50, theta2=90, color=BLUE, lw=1.6))
    axes.text(-0.52, 1.5, "sza", color=AMBER, fontsize=10, ha="center")
    axes.text(0.45, 1.3, "vza", color=BLUE, fontsize=10, ha="center")
    arrow(axes, satellite, (satellite[0] + 0.75, satellite[1] + 0.9), RED)
    axes.text(2.3, 3.75, "recession\nspeed > 0", color=RED, fontsize=9, ha="right")
    axes.text(
        0, -0.55, "specular: sza = vza, raa = 180°, scattering angle = 180° - 2 sza", ha="center", fontsize=9
    )


def draw_azimuth(axes: Axes) -> None:
    """Azimuths on the ground from above."""
    clean(
        axes,
        "d  Azimuths, from above\n    (clockwise from north, towards Sun and satellite)",
        (-2.6, 2.6),
        (-2.3, 2.75),
    )
    for degrees, name in ((0, "N 0°"), (90, "E 90°"), (180, "S 180°"), (270, "W 270°")):
        x, y = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        axes.plot([0, 1.75 * x], [0, 1.75 * y], color=GREY, lw=1, ls=":")
        axes.text(2.12 * x, 1.98 * y, name, ha="center", va="center", fontsize=9, color=GREY)
    for degrees, colour, name, radius in (
        (70, AMBER, "solar azimuth 70°", 1.0),
        (250, BLUE, "sensor azimuth 250°", 1.3),
    ):
        x, y = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        arrow(axes, (0, 0), (1.65 * x, 1.65 * y), colour, 2.2)
        axes.add_patch(Arc((0, 0), radius, radius, theta1=90 - degrees, theta2=90, color=colour, lw=1.6))
        axes.text(1.6 * x, 1.6 * y + 0.28 * np.sign(y), name, color=colour, fontsize=10, ha="center")
    axes.plot(0, 0, "+", color=RED, ms=12, mew=2)
    axes.text(0.25, -1.3, "raa = 180°: exact glint", fontsize=9, color=RED)


def main() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(11, 9.6), constrained_layout=True)
    for draw, panel in zip((draw_body, draw_footprints, draw_zenith, draw_azimuth), axes.flat, strict=True):
        draw(panel)
    figure.savefig(Path(__file__).parent / "figures" / "conventions.png", dpi=110)


if __name__ == "__main__":
    main()
