"""What a metric takes of an instrument's file, as it is written in a campaign file."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import plugins
from orchestrator.errors import FileProblems, Problem
from orchestrator.files.campaign import load_campaign
from orchestrator.model.campaign import Campaign

CAMPAIGN = """\
name: anatase
space: {x: {real: [0, 1], unit: V}}
roles: {xrd: FileMeasurement, probe: FourPointProbe}
recipe:
  - scan: {do: xrd.collect}
  - probing: {do: probe.sheet_resistance}
metrics:
  place: {unit: deg, reduce: {file: scan, take: position, of: I, over: 2Theta,
          between: [24 deg, 26 deg]}}
  match: {reduce: {take: distance, of: Absorbance, over: Wavelength, to: target.csv}}
objective: {minimise: place}
budget: {trials: 3}
"""
TARGET = "Wavelength [nm],Absorbance\n400,0.1\n500,0.2\n600,0.3\n"


def loaded(folder: Path, text: str = CAMPAIGN, target: str = TARGET) -> Campaign:
    (folder / "target.csv").write_text(target)
    (folder / "campaign.yaml").write_text(text)
    names = plugins.installed("capabilities")
    return load_campaign(folder / "campaign.yaml", plugins.capability, names, ("sobol", "bayesian"))


def problems(folder: Path, old: str, new: str) -> tuple[Problem, ...]:
    assert CAMPAIGN.count(old) == 1
    with pytest.raises(FileProblems) as caught:
        loaded(folder, CAMPAIGN.replace(old, new))
    return caught.value.problems


def test_a_step_or_a_person_brings_the_file(tmp_path: Path) -> None:
    campaign = loaded(tmp_path)
    place, match = (campaign.metric(n).reduction for n in ("place", "match"))
    assert place is not None
    assert (place.step, place.low, place.high, place.over_unit) == ("scan", 24.0, 26.0, "deg")
    assert campaign.metric("place").expression == "scan.sha256"
    assert match is not None
    assert (match.step, match.over_unit) == ("", "nm")
    assert match.target == ((400.0, 500.0, 600.0), (0.1, 0.2, 0.3))
    assert campaign.metric("match").expression == ""


def test_a_target_belongs_to_the_campaign_and_only_its_window_counts(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("to: target.csv", "to: target.csv, between: [450 nm, 0.55 um]")
    campaign = loaded(tmp_path, text)
    how = campaign.metric("match").reduction
    assert how is not None
    assert how.target == ((500.0,), (0.2,))
    assert (how.low, how.high) == (450.0, pytest.approx(550.0))
    changed = loaded(tmp_path, text, TARGET.replace("0.2", "0.25"))
    assert changed.file_hash != campaign.file_hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("file: scan", "file: scn", "the step 'scn' does not exist"),
        ("file: scan", "file: probing", "the step 'probing' brings no file"),
        ("take: position", "take: positon", "found 'positon'"),
        ("over: 2Theta,", "", "'position' needs 'over'"),
        ("[24 deg, 26 deg]", "[26 deg, 24 deg]", "the window of 'between' is empty"),
        ("[24 deg, 26 deg]", "[24 deg, 26 nm]", "cannot be converted"),
        ("[24 deg, 26 deg]", "[24 deg, 26]", "no unit"),
        (", to: target.csv", "", "'take: distance' needs 'to'"),
        ("to: target.csv", "to: none.csv", "there is no file 'none.csv'"),
        ("of: Absorbance", "of: Transmittance", "Transmittance"),
        ("take: position,", "take: position, at: 25 deg,", "'at' is for 'take: at' only"),
        ("reduce: {file: scan,", "value: =x, reduce: {file: scan,", "either a 'value'"),
        ("to: target.csv", "to: target.csv, between: [1 nm, 2 nm]", "no point of 'target.csv'"),
        ("to: target.csv", "to: target.csv, units: {Wavelength: nmm}", "nmm"),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, old, new)
    assert any(said in f"{p.message} {p.hint}" for p in found), found
    assert all(p.line in (8, 9, 10) for p in found)
