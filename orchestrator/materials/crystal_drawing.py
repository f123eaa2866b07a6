"""A crystal as balls in its cell: an orthographic projection, in SVG.

Colours and covalent radii are those of ASE (Jmol's colours; Cordero et al. 2008,
doi:10.1039/b801115j).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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


def crystal_svg(text: str) -> str | None:
    """The drawing; None of a cell with more atoms than can be told apart.

    Raises:
        InputError: the text is not that of a crystal.
    """
    atoms = crystal_of(text)
    if len(atoms) > MOST_BALLS:
        return None
    numbers, places = _with_faces(atoms)
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    return _drawn(numbers, _turned(places @ atoms.cell.array), _turned(corners @ atoms.cell.array))


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


def _drawn(numbers: NDArray[Any], seen: Floats, corners: Floats) -> str:
    from ase.data import chemical_symbols, covalent_radii
    from ase.data.colors import jmol_colors

    radii = BALL * covalent_radii[numbers]
    low = np.minimum((seen[:, :2] - radii[:, None]).min(axis=0), corners[:, :2].min(axis=0))
    high = np.maximum((seen[:, :2] + radii[:, None]).max(axis=0), corners[:, :2].max(axis=0))
    scale = (SIDE - 2 * MARGIN) / float((high - low).max())
    width, height = (high - low) * scale + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" '
        f'width="{width:.0f}" height="{height:.0f}">',
        *_edges((corners[:, :2] - low) * scale + MARGIN),
    ]
    for i in np.argsort(seen[:, 2], kind="stable"):
        x, y = (seen[i, :2] - low) * scale + MARGIN
        red, green, blue = (round(255 * float(c)) for c in jmol_colors[numbers[i]])
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radii[i] * scale:.1f}" '
            f'fill="rgb({red},{green},{blue})" stroke="#333" stroke-width="0.8">'
            f"<title>{chemical_symbols[numbers[i]]}</title></circle>"
        )
    return "".join([*parts, "</svg>"])


def _edges(corners: Floats) -> Iterator[str]:
    """The twelve edges of the cell, whose corners are numbered in binary."""
    for first in range(8):
        for bit in (1, 2, 4):
            if not first & bit:
                (x, y), (u, v) = corners[first], corners[first | bit]
                yield (
                    f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}" '
                    'stroke="#888" stroke-width="0.8"/>'
                )
