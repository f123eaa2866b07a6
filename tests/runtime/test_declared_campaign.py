"""A campaign on an instrument that a file declares, to its end, with the declaration journaled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bridge_fakes import FakeDeclaredSupply
from wire_fakes import on_tcp

from tests.docs.private_lab import private_runtime

DECLARATION = """\
instrument: A flow controller that speaks like a supply.
source: made up
maker: Acme
model: PS-3
implements: [FlowControl]
readings:
  flow: {says: The measured flow., read: "MEAS:VOLT?", unit: sccm}
actions:
  set_flow:
    says: Sets the flow.
    effect: idempotent
    cancel: at_once
    takes: {flow: {unit: sccm, low: 0, high: 20}}
    do: ["VOLT {flow:.3f}"]
    confirm: [{read: "VOLT?", is: "{flow:.3f}"}]
make_safe:
  do: ["VOLT 0.000"]
  confirm: [{read: "VOLT?", is: 0}]
"""
CAMPAIGN = """\
name: flows
goal: the greatest flow
space: {flow: {real: [0.5, 15], unit: sccm}}
roles: {gas: FlowControl}
recipe:
  - open: {do: gas.set_flow, flow: =flow}
  - look: {do: gas.flow}
metrics: {found: {value: =look.value, unit: sccm}}
objective: {maximise: found}
planner: {kind: sobol}
budget: {trials: 3}
"""


@pytest.mark.slow
def test_a_campaign_runs_to_its_end_on_a_declared_instrument(tmp_path: Path) -> None:
    fake = FakeDeclaredSupply()
    (tmp_path / "gas.yaml").write_text(DECLARATION)
    (tmp_path / "campaign.yaml").write_text(CAMPAIGN)

    def hagane(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator.cli", *words],
            env=os.environ | {"HAGANE_DATA": str(tmp_path / "data"), "XDG_RUNTIME_DIR": runtime},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with on_tcp(fake.answer) as url, private_runtime() as folder:
        runtime = str(folder)
        lab = (
            f"lab: a bench\nresources:\n  mfc: {{kind: scpi, declared: gas.yaml, port: '{url}'}}\n"
        )
        (tmp_path / "lab.yaml").write_text(lab + "roles: {gas: mfc}\n")
        hagane("check", "campaign.yaml")
        hagane("run", "campaign.yaml")
        events = [json.loads(line) for line in hagane("events", "flows", "--json").splitlines()]
    said = json.dumps(events)
    assert said.count('"action_done"') == 6
    assert "A flow controller that speaks like a supply." in said
    assert float(fake.volt) == 0.0
