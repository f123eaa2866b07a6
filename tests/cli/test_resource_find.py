"""`hagane resource find` on the ports of twins: looking sends nothing, probing only asks."""

from __future__ import annotations

import json
import os
import select
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.transports.locks import PortLock
from orchestrator.cli.app import app
from orchestrator.ports.resource import Identity, Recognition
from orchestrator.runtime.finding import recognisable
from simulators.twins.control import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("twins"), seed=3, speed=60.0) as twins:
        yield twins


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))


def find(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["resource", "find", *words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


@pytest.mark.parametrize(
    ("wire", "kind", "model"),
    [
        ("meter", "keithley-2400", "2400"),
        ("gauge", "pfeiffer-tpg", "TPG with"),
        ("supply", "aja-dcxs", "DCXS"),
        ("monitor", "inficon-sqm160", "SQM-160"),
    ],
)
def test_a_kind_recognises_its_own_device(served: Served, wire: str, kind: str, model: str) -> None:
    code, out, err = find("--probe", "--port", served.ports[wire], "--kind", kind, "--json")
    assert code == 0, err
    (probed,) = json.loads(out)
    assert probed["kinds"] == [kind]
    assert probed["identity"]["model"].startswith(model)
    assert probed["port"]["device"] == served.ports[wire]


def test_among_all_kinds_the_right_one_is_found_and_nothing_happens(served: Served) -> None:
    before = served.control.counts()
    code, out, err = find("--probe", "--port", served.ports["meter"])
    assert code == 0, err
    assert "known to keithley-2400" in out
    assert r"*IDN?\n" in out.partition("sent: ")[2]
    assert served.control.counts() == before


def test_no_kind_asks_an_aja_supply_in_a_way_that_switches_it(served: Served) -> None:
    """A supply takes single characters, and A is on: kinds whose queries hold one state none."""
    before = served.control.counts()
    others = [name for name in recognisable() if name != "aja-dcxs"]
    assert "keithley-2400" in others
    words = [word for name in others for word in ("--kind", name)]
    code, out, _ = find("--probe", "--port", served.ports["supply"], *words, "--json")
    assert code == 0
    (probed,) = json.loads(out)
    assert probed["kinds"] == []
    assert not {"A", "B"} & set("".join(probed["sent"]))
    assert served.control.counts() == before
    end = os.open(served.ports["supply"], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(end)
    for _ in range(30):  # a byte may be lost while the twin sees that somebody else has opened
        os.write(end, b"a")
        if select.select([end], [], [], 1.0)[0]:
            break
    assert os.read(end, 1) == b"0", "its output is off"
    os.close(end)


def test_a_device_that_is_another_one_is_not_recognised(served: Served) -> None:
    port = served.ports["meter"]
    code, out, _ = find("--probe", "--port", port, "--kind", "inficon-sqm160")
    assert code == 0
    assert "no installed kind knows what is there" in out


def test_without_probe_nothing_is_opened(served: Served) -> None:
    lock = PortLock(os.path.realpath(served.ports["meter"]))
    try:
        code, out, _ = find("--port", served.ports["meter"])
        assert code == 0
        assert "nothing was sent" in out
        code, out, _ = find("--probe", "--port", served.ports["meter"])
    finally:
        lock.release()
    assert code == 5
    assert f"process {os.getpid()} holds" in out
    assert "sent: nothing" in out


@pytest.mark.parametrize("words", [[], ["--probe", "--kind", "keithley-2400"]])
def test_a_port_that_is_not_there_is_told_and_the_others_all_the_same(
    served: Served, words: list[str]
) -> None:
    ports = ["--port", "/dev/ttyNowhere", "--port", served.ports["meter"]]
    code, out, err = find(*ports, *words)
    assert code == 5
    assert "error: there is no port /dev/ttyNowhere\n" in err
    assert "hint: `hagane resource find` lists those that are there" in err
    assert served.ports["meter"] in out
    assert ("known to keithley-2400" in out) is bool(words)
    assert "ttyNowhere" not in out
    code, out, _ = find(*ports, *words, "--json")
    assert code == 5
    found = [one.get("port", one) for one in json.loads(out)]
    assert [(one["device"], one["is_there"]) for one in found] == [
        ("/dev/ttyNowhere", False),
        (served.ports["meter"], True),
    ]


@pytest.mark.parametrize(
    ("port", "why"),
    [
        ("/dev/null", "/dev/null cannot be opened"),
        ("socket://127.0.0.1:1", "cannot be reached"),
        ("visa:GPIB0::22::INSTR@", "VISA"),
        ("replay:/nowhere.jsonl", "/nowhere.jsonl"),
    ],
)
def test_where_nobody_could_be_asked_the_reason_is_told(port: str, why: str) -> None:
    code, out, err = find("--probe", "--port", port, "--kind", "keithley-2400")
    assert code == 5
    assert why in out
    assert "sent: nothing" in out
    assert f"error: nobody could be asked on {port}\n" in err


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ("--probe --kind keithly-2400", "'keithly-2400' is not a kind", "'keithley-2400'?"),
        ("--probe --kind alicat", "'alicat' does not say how it is recognised", "resource check"),
        ("--kind keithley-2400", "--kind says what is asked", "--probe"),
    ],
)
def test_what_is_typed_wrong_is_told(words: str, said: str, hint: str) -> None:
    code, _, err = find(*words.split())
    assert code == 2
    assert said in err
    assert hint in err


def test_ports_are_listed_as_data() -> None:
    code, out, _ = find("--json")
    assert code == 0
    assert all({"device", "vendor", "stable"} <= set(port) for port in json.loads(out))


def test_an_identity_is_recognised_as_a_whole() -> None:
    keithley = Recognition(maker="KEITHLEY.*", model="2400.*")
    assert keithley.fits(Identity("KEITHLEY INSTRUMENTS INC.", "2400"))
    assert not keithley.fits(Identity("KEITHLEY INSTRUMENTS INC.", "6221"))
    assert not keithley.fits(Identity("NOT KEITHLEY", "2400"))
