"""A shortlist as a table: for a spreadsheet, a CSV file, or a program for structures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from orchestrator.errors import InputError
from orchestrator.model.space import Parameter
from orchestrator.reports.single_page import write_text
from orchestrator.reports.summary import metric_order
from orchestrator.runtime.triage import Shortlist, Shortlisted

Cell: TypeAlias = float | int | str | None
VOTES = ("+1", "-1")


@dataclass(frozen=True)
class Heading:
    """A column of the sheet: title, width in characters, format of its numbers ('': by them)."""

    title: str
    width: float = 12.0
    shown: str = ""


def write_sheet(found: Shortlist, path: Path) -> Path:
    """Writes a spreadsheet with drawings (`.xlsx`), or a table without (`.csv`).

    Raises:
        InputError: the name ends otherwise, XlsxWriter is not installed, or it cannot be written.
    """
    if path.suffix == ".csv":
        text = io.StringIO()
        writer = csv.writer(text)
        titles = [h.title for h in _headings(found) if h.title != "drawing"]
        writer.writerow(titles)
        for cells in _rows(found):
            writer.writerow([cells.get(title) for title in titles])
        return write_text(path, text.getvalue())
    if path.suffix != ".xlsx":
        raise InputError(f"'{path}' is neither .xlsx nor .csv", hint="--to triage.xlsx")
    from orchestrator.materials.sheet import Column, write_xlsx

    headings = _headings(found)
    rows = [[cells.get(h.title) for h in headings] for cells in _rows(found)]
    columns = [
        Column(h.title, h.width, h.shown or shown_as(cells), VOTES if h.title == "vote" else ())
        for h, cells in zip(headings, zip(*rows, strict=True), strict=True)
    ]
    draw = found.depiction.png if found.depiction is not None else None
    pictures = [draw(row.material) if draw is not None else None for row in found.rows]
    return write_xlsx(path, columns, rows, pictures, _notes(found), sheet_name="candidates")


def write_structures(found: Shortlist, path: Path) -> int:
    """Writes an SDF file with the columns as properties; gives how many candidates have no
    structure and are left out.

    Raises:
        InputError: the candidates are no molecules, or rdkit is not installed.
    """
    if found.why_no_molecules:
        why = found.why_no_molecules
        raise InputError(f"there are no molecules to write: {why[:1].lower()}{why[1:]}")
    from orchestrator.materials.sheet import write_sdf

    left = ("drawing", "vote", "remark")
    rows = [
        (row.name, row.material, {k: v for k, v in cells.items() if k not in left})
        for row, cells in zip(found.rows, _rows(found), strict=True)
    ]
    return write_sdf(path, rows)


def _notes(found: Shortlist) -> list[str]:
    return [
        f"Campaign {found.campaign.name}: {found.campaign.goal}",
        "Rank: by what a trial is worth now, the expected gain, so that what is not known yet "
        "counts as well as what is expected to be good.",
        "Vote +1 for what is to be tried next, -1 for what is never to be proposed; leave the rest "
        f"empty. Then: hagane triage {found.campaign.name} --votes FILE.xlsx",
        "Distance: in the model's space. Tanimoto: similarity of the descriptor's counts. "
        "Accessibility: from 1, easy to make, to 10 (Ertl & Schuffenhauer 2009).",
        *found.remarks,
    ]


def shown_as(cells: Iterable[Cell]) -> str:
    """A spreadsheet's format that gives the largest number of a column four digits."""
    largest = max((abs(c) for c in cells if isinstance(c, int | float)), default=0.0)
    if all(isinstance(c, int | str | None) for c in cells) or not math.isfinite(largest):
        return "General"
    if not 1e-2 <= largest < 1e5:
        return "0.000E+00"
    n_decimals = max(0, 3 - math.floor(math.log10(largest)))
    return "0." + n_decimals * "0" if n_decimals else "0"


def titled(name: str, unit: str) -> str:
    """`conductivity [W/m/K]`, as a table that is read again has it."""
    return f"{name} [{unit}]" if unit else name


def _others(found: Shortlist) -> list[Parameter]:
    return [p for p in found.campaign.space.parameters if p.name != found.pool.name]


def _headings(found: Shortlist) -> list[Heading]:
    """All columns that any row has something in, in their order."""
    used = {title for cells in _rows(found) for title, cell in cells.items() if cell is not None}
    kept = {"rank", "name", "vote", "remark"} | ({"drawing"} if found.depiction else set())
    return [h for h in _all_headings(found) if h.title in used | kept]


def _all_headings(found: Shortlist) -> Iterator[Heading]:
    campaign = found.campaign
    yield Heading("rank", 6)
    yield Heading("drawing", 22)
    yield Heading("name", 24)
    yield Heading("material", 34)
    for parameter in _others(found):
        yield Heading(titled(parameter.name, getattr(parameter, "unit", "")))
    for metric in metric_order(campaign):
        unit = campaign.metric(metric).unit
        yield Heading(titled(f"expected {metric}", unit), 13)
        yield Heading(titled(f"sd of {metric}", unit), 13)
        yield Heading(f"sd of {metric} [decades]", 13, "0.00")
    yield Heading("chance to keep the limits", 11, "0.00")
    yield Heading("nearest measured", 20)
    for metric in metric_order(campaign):
        yield Heading(titled(f"its {metric}", campaign.metric(metric).unit), 13)
    yield Heading("distance", 9, "0.00")
    yield Heading("Tanimoto", 10, "0.00")
    yield Heading("accessibility", 13, "0.0")
    yield Heading("weight [g/mol]", 9, "0.0")
    yield Heading("new", 6)
    yield Heading("most like", 20)
    yield Heading("domain", 9)
    yield Heading("vote", 7)
    yield Heading("remark", 36)


def _rows(found: Shortlist) -> Iterator[Mapping[str, Cell]]:
    """The cells of each row by their headings."""
    for rank, row in enumerate(found.rows, 1):
        told = _expected(found, row) | _near(found, row) | _chemistry(row)
        cells: dict[str, Cell] = {"rank": rank, "name": row.name}
        cells |= {title: _rounded(cell) for title, cell in told.items()}
        if row.material not in ("", row.name) and "\n" not in row.material:
            cells["material"] = row.material
        for parameter in _others(found):
            title = titled(parameter.name, getattr(parameter, "unit", ""))
            cells[title] = row.proposal.point[parameter.name]  # whole: it is read again
        yield cells


def _rounded(cell: Cell) -> Cell:
    return float(f"{cell:.6g}") if isinstance(cell, float) else cell


def _expected(found: Shortlist, row: Shortlisted) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for metric, predicted in row.proposal.predicted.items():
        unit = found.campaign.metric(metric).unit
        cells[titled(f"expected {metric}", unit)] = predicted.mean
        spread = f"sd of {metric}"
        cells[titled(spread, "decades" if predicted.on_log10 else unit)] = predicted.sd
    cells["chance to keep the limits"] = row.proposal.probability_feasible
    return cells


def _near(found: Shortlist, row: Shortlisted) -> dict[str, Cell]:
    if row.nearest is None:
        return {}
    cells: dict[str, Cell] = {
        "nearest measured": row.nearest.name,
        "distance": row.nearest.distance,
        "Tanimoto": row.nearest.similarity,
    }
    for metric, outcome in row.nearest.known.outcomes.items():
        bound = {"above": ">", "below": "<", None: ""}[outcome.censored]
        value: Cell = f"{bound}{outcome.value:g}" if bound else outcome.value
        cells[titled(f"its {metric}", found.campaign.metric(metric).unit)] = value
    return cells


def _chemistry(row: Shortlisted) -> dict[str, Cell]:
    like = None
    if row.kin is not None:
        shown = "" if row.kin.similarity is None else f" ({row.kin.similarity:.2f})"
        like = f"{row.kin.name}{shown}"
    return {
        "accessibility": row.accessibility,
        "weight [g/mol]": row.weight,
        "new": "new" if row.is_new else None,
        "most like": like,
        "domain": "outside" if row.is_outside else None,
    }
