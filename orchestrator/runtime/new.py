"""`hagane new campaign NAME`: a folder to start from, that rehearses as it is."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.errors import InputError
from orchestrator.reports.single_page import write_text

CAMPAIGN = """\
# Check it:    hagane check {folder}
# Rehearse it: hagane rehearse {folder}
# Run it:      hagane run {folder}
# Your editor completes this file with the schema of `hagane schema campaign`.
name: {name}
goal: say in words what this campaign is to find

space:                      # what may be varied: real, integer, choice or pool
  oxygen:      {{real: [0.05, 5], unit: sccm, scale: log}}
  temperature: {{real: [25, 450], unit: degC}}

roles: {{chamber: Sputtering, probe: FourPointProbe, arm: SampleTransfer}}

recipe:                     # what is done for every trial, in this order
  - take:    {{do: arm.place, sample: new, at: chamber}}
  - deposit:
      do: chamber.deposit
      oxygen: =oxygen       # = makes an expression over parameters and earlier results
      temperature: =temperature
      power: 150 W
      argon: 0.5 Pa
      duration: 20 min
  - move:    {{do: arm.move, to: probe}}
  - measure: {{do: probe.sheet_resistance, repeats: 3}}
  - store:   {{do: arm.move, to: tray}}

metrics:                    # what is measured, from the results of the steps
  thickness:   {{value: =deposit.thickness, unit: nm}}
  resistivity: {{value: =measure.mean * deposit.thickness, unit: ohm*cm, scale: log}}

objective: {{minimise: resistivity, subject_to: [thickness >= 100 nm]}}
planner:   {{kind: bayesian, initial: 6}}
budget:    {{trials: 20, time: 1 d}}
seed: 1
"""


def new_campaign(folder: Path) -> Path:
    """Writes `campaign.yaml` and a lab of twins into a new folder, and gives the folder.

    Raises:
        InputError: the folder exists or cannot be written, or its name is none for a campaign.
    """
    from orchestrator.runtime.load import campaign_path

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", folder.name):
        raise InputError(
            f"'{folder.name}' cannot be the name of a campaign",
            hint="letters, digits, - and _, a letter first",
        )
    if folder.exists():
        raise InputError(f"{folder} exists already", hint="choose another name")
    twins = campaign_path("niobium_titania").parent / "twins.yaml"
    write_text(folder / "campaign.yaml", CAMPAIGN.format(name=folder.name, folder=folder))
    write_text(folder / "twins.yaml", twins.read_text())
    return folder
