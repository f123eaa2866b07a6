"""A crystal as balls in its cell: an orthographic projection, as SVG or PNG.

Colours and covalent radii are those of ASE (Jmol's colours; Cordero et al. 2008,
doi:10.1039/b801115j).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.materials.chemistry import rdkit
from orchestrator.materials.descriptors.structure_text import crystal_of

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]

SIDE = 160.0
"""The longer side of the drawing, in pixels."""
MARGIN = 6.0
BALL = 0.6
"""The radius of a ball, as a share of the covalent radius."""
MOST_BALLS = 400
ON_A_FACE = 1e-3
"""Fractional coordinates this near to 0 are drawn at 1 too, so that the cell looks whole."""


@dataclass(frozen=True)
class Ball:
    """An atom as it is seen: its place and radius in pixels, its colour (0 to 255), its element."""

    x: float
    y: float
    radius: float
    colour: tuple[int, int, int]
    element: str


@dataclass(frozen=True)
class Scene:
    """What is to be drawn, in pixels: the edges of the cell, and the balls from far to near."""

    width: float
    height: float
    edges: tuple[tuple[float, float, float, float], ...]
    balls: tuple[Ball, ...]


def crystal_svg(text: str) -> str | None:
    """The drawing; None of a cell with more atoms than can be told apart.

    Raises:
        InputError: the text is not that of a crystal.
    """
    scene = _scene(text)
    if scene is None:
        return None
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {scene.width:.1f} {scene.height:.1f}" '
        f'width="{scene.width:.0f}" height="{scene.height:.0f}">'
    ]
    for x, y, u, v in scene.edges:
        line = f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}"'
        parts.append(f'{line} stroke="#888" stroke-width="0.8"/>')
    for ball in scene.balls:
        circle = f'<circle cx="{ball.x:.1f}" cy="{ball.y:.1f}" r="{ball.radius:.1f}"'
        fill = 'fill="rgb({},{},{})" stroke="#333" stroke-width="0.8"'.format(*ball.colour)
        parts.append(f"{circle} {fill}><title>{ball.element}</title></circle>")
    return "".join([*parts, "</svg>"])


def crystal_png(text: str, scale: int = 2) -> bytes | None:
    """The drawing as a picture at `scale` times the size; None as for `crystal_svg`.

    Raises:
        InputError: the text is not that of a crystal, or rdkit, whose canvas is used, is missing.
    """
    scene = _scene(text)
    if scene is None:
        return None
    point = rdkit("Geometry").Point2D
    canvas = rdkit("Chem.Draw.rdMolDraw2D").MolDraw2DCairo(
        math.ceil(scale * scene.width), math.ceil(scale * scene.height)
    )
    canvas.drawOptions().clearBackground = False
    canvas.SetLineWidth(scale)
    canvas.SetColour((0.53, 0.53, 0.53))
    for x, y, u, v in scene.edges:
        canvas.DrawLine(point(scale * x, scale * y), point(scale * u, scale * v), rawCoords=True)
    for ball in scene.balls:
        sides = [
            point(scale * (ball.x + end), scale * (ball.y + end))
            for end in (-ball.radius, ball.radius)
        ]
        for is_filled, colour in ((True, ball.colour), (False, (51, 51, 51))):
            canvas.SetFillPolys(is_filled)
            canvas.SetColour(tuple(part / 255 for part in colour))
            canvas.DrawEllipse(*sides, rawCoords=True)
    canvas.FinishDrawing()
    return bytes(canvas.GetDrawingText())


def _scene(text: str) -> Scene | None:
    atoms = crystal_of(text)
    if len(atoms) > MOST_BALLS:
        return None
    numbers, places = _with_faces(atoms)
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    return _seen(numbers, _turned(places @ atoms.cell.array), _turned(corners @ atoms.cell.array))


def _with_faces(atoms: Atoms) -> tuple[NDArray[Any], Floats]:
    """Atomic numbers and fractional coordinates (n x 3), those on faces at both of them."""
    inside = atoms.get_scaled_positions(wrap=True)
    inside[np.abs(inside - 1) < ON_A_FACE] = 0.0
    numbers, places = [], []
    for number, place in zip(atoms.numbers, inside, strict=True):
        ends = [(0.0, 1.0) if abs(x) < ON_A_FACE else (float(x),) for x in place]
        for corner in np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3):
            numbers.append(int(number))
            places.append(corner)
    return np.array(numbers), np.array(places)


def _turned(positions: Floats) -> Floats:
    """Positions (n x 3) as seen from a little above and to the right: across, down, towards."""
    a, b = np.radians(25.0), np.radians(15.0)
    about = np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    x, y, z = (positions @ (tilt @ about).T).T
    return np.stack([x, -z, -y], axis=1)


def _seen(numbers: NDArray[Any], seen: Floats, corners: Floats) -> Scene:
    from ase.data import chemical_symbols, covalent_radii
    from ase.data.colors import jmol_colors

    radii = BALL * covalent_radii[numbers]
    low = np.minimum((seen[:, :2] - radii[:, None]).min(axis=0), corners[:, :2].min(axis=0))
    high = np.maximum((seen[:, :2] + radii[:, None]).max(axis=0), corners[:, :2].max(axis=0))
    scale = (SIDE - 2 * MARGIN) / float((high - low).max())
    width, height = (high - low) * scale + 2 * MARGIN
    balls = []
    for i in np.argsort(seen[:, 2], kind="stable"):
        x, y = (seen[i, :2] - low) * scale + MARGIN
        red, green, blue = (round(255 * float(c)) for c in jmol_colors[numbers[i]])
        radius, element = float(radii[i] * scale), chemical_symbols[numbers[i]]
        balls.append(Ball(float(x), float(y), radius, (red, green, blue), element))
    edges = tuple(_edges((corners[:, :2] - low) * scale + MARGIN))
    return Scene(float(width), float(height), edges, tuple(balls))


def _edges(corners: Floats) -> Iterator[tuple[float, float, float, float]]:
    """The twelve edges of the cell, whose corners are numbered in binary."""
    for first in range(8):
        for bit in (1, 2, 4):
            if not first & bit:
                (x, y), (u, v) = corners[first].tolist(), corners[first | bit].tolist()
                yield x, y, u, v
