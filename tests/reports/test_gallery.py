"""Materials in the report: how they look, what came of them, and what they are near to."""

from __future__ import annotations

import base64
import re

from orchestrator.model.candidates import in_a_line
from orchestrator.model.space import Real, SearchSpace
from orchestrator.ports.depiction import Kin
from orchestrator.reports.gallery import Looks, gallery
from orchestrator.reports.page import report_html
from tests.reports.material_campaign import MADE, solvent_state, solvents
from tests.reports.sample_campaign import niobium_titania, sample_state


class Outlines:
    """Draws every material as its own text, but benzene."""

    def svg(self, material: str) -> str | None:
        return None if material == "c1ccccc1" else f"<svg><script>{material}</script></svg>"

    def png(self, material: str) -> None: ...


LOOKS = Looks(Outlines(), {MADE: Kin("ethanol", 0.6)})


def drawn(address: str) -> str:
    return base64.b64decode(address.partition(",")[2]).decode()


def test_a_card_shows_the_material_with_its_measured_and_expected_values() -> None:
    found = gallery(solvents(), solvent_state(), LOOKS)
    assert found is not None
    (card,) = found.best
    assert (card.trial, card.name, card.material) == (1, "hexane", "CCCCCC")
    assert "CCCCCC" in drawn(card.picture)
    assert card.values == (("boiling", "68.7 °C (expected 70.0 ± 5.0 °C)"),)
    assert card.remarks == ()


def test_the_nearest_measured_material_is_shown_with_its_value_even_if_known_before() -> None:
    found = gallery(solvents(), solvent_state(), LOOKS)
    assert found is not None
    near, later = found.best[0].nearest, found.newest[0].nearest
    assert near is not None
    assert later is not None
    assert (near.trial, near.name, near.values) == (-1, "water", ("boiling 100 °C",))
    assert (later.trial, later.name, later.values) == (1, "hexane", ("boiling 68.7 °C",))


def test_a_reader_is_told_what_distances_of_fingerprints_mean() -> None:
    meaning = "(0: the same fragments, 1.41: none in common)"
    assert meaning in report_html(solvents(), solvent_state(), looks=LOOKS)
    campaign = solvents()
    beside = Real(name="heat", low=0.0, high=9.0)
    both = SearchSpace(parameters=(*campaign.space.parameters, beside))
    found = gallery(campaign.model_copy(update={"space": both}), solvent_state(), LOOKS)
    assert found is not None
    assert not found.counts_alone


def test_what_a_generator_made_is_called_new_and_told_what_it_is_like() -> None:
    found = gallery(solvents(), solvent_state(), LOOKS)
    assert found is not None
    (card,) = found.newest
    assert (card.name, card.material, card.standing) == (MADE, "", "in flight")
    assert card.values == (("boiling", "expected 70.0 ± 5.0 °C"),)
    assert card.remarks == (
        "new: made by the generator; most like ethanol of the table (similarity 0.60)",
        "outside the domain: farther than those measured are from each other",
    )


def test_a_made_crystal_is_shown_by_its_elements_and_never_by_its_whole_text() -> None:
    crystal = '2\nLattice="2 0 0 0 2 0 0 0 3"\nCu 0 0 0\nAu 1 1 1\n'
    found = gallery(solvents(), solvent_state(crystal), LOOKS)
    assert found is not None
    assert found.newest[0].name == in_a_line(crystal) == "AuCu·475d"
    assert [in_a_line(name) for name in ("12", "12\n", "hexane")] == ["12", "12\n", "hexane"]
    page = report_html(solvents(), solvent_state(crystal))
    assert "AuCu·475d" in page
    assert "Lattice" not in page


def test_a_drawing_is_a_picture_of_which_nothing_can_run() -> None:
    page = report_html(solvents(), solvent_state(), looks=LOOKS)
    assert f"<script>{MADE}" not in page
    pictures = re.findall(r'<img src="(data:image/svg\+xml;base64,[^"]+)"', page)
    assert [drawn(p) for p in pictures].count(f"<svg><script>{MADE}</script></svg>") == 1


def test_without_drawings_the_page_says_why_and_shows_the_rest() -> None:
    page = report_html(solvents(), solvent_state(), looks=Looks(why_none="No <pencil>."))
    assert "No &lt;pencil&gt;." in page
    assert '<img src="data:image/svg' not in page
    assert "68.7 °C" in page


def test_a_campaign_of_no_materials_has_no_gallery() -> None:
    assert gallery(niobium_titania(), sample_state(), LOOKS) is None
    assert "<h2>Materials</h2>" not in report_html(niobium_titania(), sample_state())
