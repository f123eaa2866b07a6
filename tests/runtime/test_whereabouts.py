"""A recipe in which a move was forgotten is remarked upon."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.runtime.load import campaign_path, load

MOVE = "  - move:    {do: arm.move, to: probe}\n"
MEASURE = "  - measure: {do: probe.sheet_resistance, repeats: 3}\n"
STORE = "  - store:   {do: arm.move, to: tray}\n"
BEFORE = "  - before:  {do: probe.sheet_resistance, repeats: 3}\n"


def remarks(folder: Path, old: str, new: str) -> tuple[str, ...]:
    source = campaign_path("niobium_titania").parent
    (folder / "twins.yaml").write_text((source / "twins.yaml").read_text())
    text = (source / "campaign.yaml").read_text()
    assert old in text
    (folder / "campaign.yaml").write_text(text.replace(old, new))
    return load(folder).remarks


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            MOVE,
            "",
            "'probe' does step 'measure' while the sample is at 'chamber', and no step moves it to "
            "'probe'",
        ),
        (
            MOVE + MEASURE + STORE,
            MOVE + STORE + MEASURE,
            "'probe' does step 'measure' while the sample is at 'tray', and no step moves it to "
            "'probe' again",
        ),
        (
            "sample: new, at: chamber",
            "sample: new, at: probe",
            "'chamber' does step 'deposit' while the sample is at 'probe', and no step moves it to "
            "'chamber'",
        ),
    ],
)
def test_a_step_where_the_sample_is_not_is_remarked_upon(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert remarks(tmp_path, old, new) == (said,)


@pytest.mark.parametrize(
    ("old", "new"),
    [(MOVE, BEFORE + MOVE), (STORE, STORE + BEFORE)],
    ids=["before it comes", "after it left, and nothing is made of it"],
)
def test_a_place_may_be_prepared_and_tidied_up_without_a_sample(
    tmp_path: Path, old: str, new: str
) -> None:
    assert remarks(tmp_path, old, new) == ()
