"""A twin with an HTTP interface, asked by Python's own client over its served port."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulators.twins.control import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path, seed=7, speed=1000.0, world="curing-lamp") as served:
        yield served


class Client:
    """One connection for each request."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        parts = urlsplit(url)
        assert parts.scheme == "http"
        self._port, self._timeout_s = parts.port, timeout_s

    def __call__(self, method: str, path: str, content: Any = None) -> tuple[int, Any]:
        body = None if content is None else json.dumps(content)
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
        with contextlib.closing(line):
            line.request(method, path, body)
            reply = line.getresponse()
            text = reply.read()
        return reply.status, json.loads(text) if text else None


@pytest.fixture
def ask(served: Served) -> Client:
    return Client(served.ports["lamp"])


def test_it_is_set_exposes_and_tells_what_became_of_it(served: Served, ask: Client) -> None:
    assert ask("GET", "/about") == (200, {"model": "CL-1", "serial": "0017"})
    assert ask("PUT", "/power", {"percent": 50}) == (204, None)
    assert ask("GET", "/exposures/a")[0] == 404
    assert ask("POST", "/exposures", {"id": "a", "seconds": 20})[0] == 201
    while (said := ask("GET", "/exposures/a")[1])["state"] == "running":
        pass
    assert said == {"state": "finished", "dose": pytest.approx(10.0)}
    assert served.control.counts() == {"exposures": 1, "effects": 1}


def test_an_id_that_it_has_had_exposes_nothing(served: Served, ask: Client) -> None:
    for status in (201, 409):
        assert ask("POST", "/exposures", {"id": "a", "seconds": 1})[0] == status
        ask("PUT", "/stop")
    assert served.control.counts()["exposures"] == 1


def test_what_it_does_not_understand_is_refused(ask: Client) -> None:
    assert ask("PUT", "/power", {"percent": 101})[0] == 422
    assert ask("PUT", "/power")[0] == 422
    assert ask("POST", "/exposures", [1])[0] == 422
    assert ask("GET", "/nothing")[0] == 404
    assert ask("GET", "/state")[1]["power"] == 10.0


def test_a_power_cut_breaks_off_what_runs_and_its_record_stays(served: Served, ask: Client) -> None:
    served.control.speed(1.0)
    ask("PUT", "/power", {"percent": 100})
    ask("POST", "/exposures", {"id": "a", "seconds": 3600})
    assert ask("GET", "/state")[1]["light"] == 100.0
    assert ask("PUT", "/power", {"percent": 50})[0] == 409
    served.control.fail("lamp", "reboot")
    assert ask("GET", "/exposures/a")[1]["state"] == "aborted"
    assert ask("GET", "/state")[1] == {"power": 10.0, "light": 0.0, "fault": "none"}


def test_faults_in_its_own_words(served: Served, ask: Client) -> None:
    served.control.fail("lamp", "nak")
    assert ask("PUT", "/power", {"percent": 50})[0] == 409
    served.control.fail("lamp", "ignore")
    assert ask("PUT", "/power", {"percent": 50})[0] == 204
    assert ask("GET", "/state")[1]["power"] == 10.0


def test_a_reply_that_is_held_back_is_lost_with_its_connection(served: Served) -> None:
    served.control.fail("lamp", "merge")
    with pytest.raises(TimeoutError):
        Client(served.ports["lamp"], timeout_s=0.5)("GET", "/about")
    assert Client(served.ports["lamp"])("GET", "/state")[1]["power"] == 10.0
