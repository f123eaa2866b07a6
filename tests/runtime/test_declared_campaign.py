"""A campaign on an instrument that a file declares, to its end, with the declaration journaled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

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
    with on_tcp(fake.answer) as url:
        events = _played(tmp_path, CAMPAIGN, DECLARATION, f"kind: scpi, port: '{url}'")
    said = json.dumps(events)
    assert said.count('"action_done"') == 6
    assert "A flow controller that speaks like a supply." in said
    assert float(fake.volt) == 0.0


PUMP = """\
instrument: A pump with jobs.
source: made up
maker: Acme
model: JP-1
identify: {read: {get: /about}}
implements: [LiquidPump]
actions:
  dispense:
    says: Gives so much out.
    effect: queryable
    takes: {volume: {unit: uL, low: 0, high: 20}}
    do: [{post: "/jobs/{ticket}", json: "{volume}"}]
    gives: {volume: {read: {get: "/jobs/{ticket}"}, unit: uL}}
make_safe: {none_because: it stops by itself}
ask_ticket: {read: {get: "/jobs/{ticket}/state"}, done: [finished]}
"""
JOBS = """\
name: jobs
goal: the greatest volume
space: {volume: {real: [0.5, 15], unit: uL}}
roles: {pump: LiquidPump}
recipe:
  - give: {do: pump.dispense, volume: =volume}
metrics: {found: {value: =give.volume, unit: uL}}
objective: {maximise: found}
planner: {kind: sobol}
budget: {trials: 3}
"""


class Jobs(BaseHTTPRequestHandler):
    """Does the first job and fails to say so; what it says of the last one is no number here."""

    done: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.done[self.path] = self.rfile.read(length).decode()
        self._say(500 if len(self.done) == 1 else 202, "accepted")

    def do_GET(self) -> None:
        said = self.done.get(self.path, "finished")
        self._say(200, said.replace(".", ",") if len(self.done) == 3 else said)

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.slow
def test_what_a_job_gave_is_not_lost_with_the_answer_to_its_order(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Jobs) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = f"http://127.0.0.1:{server.server_port}"
        events = _played(tmp_path, JOBS, PUMP, f"kind: http, port: '{port}'")
        server.shutdown()
    assert len(Jobs.done) == 3
    asked = [e for e in events if e["kind"] == "action_done" and e["evidence"] == "asked"]
    assert [list(e["results"]) for e in asked] == [["volume"], []]
    (failed,) = [e for e in events if e["kind"] == "trial_failed"]
    assert failed["sentence"].startswith("give.volume is not known: it is only known that it was")
    assert "where a value of the kind 'real' belongs" in failed["sentence"]


def _played(folder: Path, campaign: str, declaration: str, instrument: str) -> list[dict[str, Any]]:
    """The events of a campaign that is checked and run on one declared instrument."""
    (role,) = re.findall(r"roles: {(\w+):", campaign)
    lab = f"lab: a bench\nresources:\n  device: {{{instrument}, declared: device.yaml}}\n"
    (folder / "device.yaml").write_text(declaration)
    (folder / "campaign.yaml").write_text(campaign)
    (folder / "lab.yaml").write_text(f"{lab}roles: {{{role}: device}}\n")

    def hagane(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator.cli", *words],
            env=os.environ | {"HAGANE_DATA": str(folder / "data"), "XDG_RUNTIME_DIR": runtime},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with private_runtime() as runtime_folder:
        runtime = str(runtime_folder)
        hagane("check", "campaign.yaml")
        hagane("run", "campaign.yaml")
        return [json.loads(line)["event"] for line in hagane("events", "--json").splitlines()]
