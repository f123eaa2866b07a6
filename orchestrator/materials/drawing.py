"""Draws materials: molecules, repeat units and mixtures of them by rdkit, crystals as balls.

How a material is drawn follows from the descriptor that reads it. What is a formula, a process or a
route has no drawing.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import InputError, MissingExtra
from orchestrator.materials.chemistry import INSTALL, molecule, rdkit
from orchestrator.materials.crystal_drawing import crystal_png, crystal_svg
from orchestrator.materials.descriptors.weighted import parts_of
from orchestrator.ports.depiction import Depiction

UNDRAWN = ("composition", "process", "route")
"""Descriptors of what has no shape."""
WIDTH, HEIGHT = 200, 130
"""Of the drawing of one molecule, in pixels."""
BOND = 22.0
"""The length of a bond in pixels, where there is room for it."""
MOST_PARTS = 4
MOST_ATOMS = 300
"""Of a molecule that is drawn: more cannot be told apart, and 2,000 take a minute."""
_SIZE = re.compile(r"width='(\d+)px' height='(\d+)px' ")


@dataclass(frozen=True)
class Molecules:
    """Draws SMILES, repeat units with `*`, and mixtures `0.3 CCO | 0.7 O` side by side (a
    `ports.depiction.Depiction`)."""

    def svg(self, material: str) -> str | None:
        """The drawing, without a ground; None where the material cannot be read, or holds too many
        atoms."""
        text = self._drawn(material, "MolDraw2DSVG")
        if text is None:
            return None
        body = text[text.index("<!-- END OF HEADER -->") + len("<!-- END OF HEADER -->") :]
        size = _SIZE.search(text)
        assert size is not None, "rdkit writes the size of its drawings"
        width, height = size.groups()
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        return f'{head}width="{width}" height="{height}">{body.strip()}'

    def png(self, material: str) -> bytes | None:
        """The drawing at twice the size; None where there is none."""
        found = self._drawn(material, "MolDraw2DCairo", scale=2)
        return None if found is None else bytes(found)

    def _drawn(self, material: str, kind: str, scale: int = 1) -> Any:
        try:
            parts = parts_of(material)[:MOST_PARTS]
            found = [molecule(part) for _, part in parts]
        except InputError:
            return None
        if any(one.GetNumAtoms() > MOST_ATOMS for one in found):
            return None
        drawing = rdkit("Chem.Draw.rdMolDraw2D")
        width, height = scale * WIDTH, scale * HEIGHT
        canvas = getattr(drawing, kind)(width * len(parts), height, width, height)
        options = canvas.drawOptions()
        options.clearBackground = False
        options.bondLineWidth = 1.3 * scale
        options.fixedBondLength = BOND * scale
        options.padding = 0.06
        options.dummiesAreAttachments = True
        options.minFontSize = 9 * scale
        options.prepareMolsBeforeDrawing = False
        ready = [drawing.PrepareMolForDrawing(one) for one in found]
        legends = [f"{fraction:.3g}" if len(parts) > 1 else "" for fraction, _ in parts]
        canvas.DrawMolecules(ready, legends=legends)
        canvas.FinishDrawing()
        return canvas.GetDrawingText()


@dataclass(frozen=True)
class Crystals:
    """Draws the text of a CIF, POSCAR or extended XYZ (a `ports.depiction.Depiction`)."""

    def svg(self, material: str) -> str | None:
        """The atoms of the cell as balls; None where the text cannot be read, or holds too many."""
        try:
            return crystal_svg(material)
        except InputError:
            return None

    def png(self, material: str) -> bytes | None:
        """The same as a picture; None where that is, or where rdkit is not installed."""
        try:
            return crystal_png(material)
        except (InputError, MissingExtra):
            return None


def depiction_of(descriptor: str) -> Depiction | None:
    """What draws the materials that a descriptor reads; None where they have no shape.

    Raises:
        InputError: rdkit is not installed.
    """
    if descriptor in UNDRAWN:
        return None
    if descriptor == "crystal":
        return Crystals()
    if importlib.util.find_spec("rdkit") is None:
        raise InputError("molecules are drawn by rdkit, which is not installed", hint=INSTALL)
    return Molecules()
