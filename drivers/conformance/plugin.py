"""Every promise over every driver of a distribution, as a plug-in that its pytest asks for.

    [tool.pytest.ini_options]
    addopts = "-p drivers.conformance.plugin"

A test that takes the fixture `promise` runs once for every driver and promise. The drivers are the
kinds of `hagane.resources` that this distribution installs and that open a `port`, and those that
`hagane_without_port` names (composites, a watched folder), which are held to the few promises that
need no wire; `hagane_drivers` names others, or fewer. The fixture `specimens`, which the author
overrides, says what answers each. Without such a test nothing is imported and nothing happens.
`replayed` makes a driver on the record of a night.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from drivers.conformance.specimens import Promise, Specimen

_NONE = (
    "the distribution '{name}' installs no driver: after a change of its entry points, install it "
    "again (pip install -e .)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two settings, and an option to try a few drivers only."""
    parser.addini(
        "hagane_distribution", "whose drivers are held to the promises  [the project's]", default=""
    )
    parser.addini("hagane_drivers", "kinds to be held  [all that open a port]", "args", default=[])
    parser.addini("hagane_without_port", "kinds to be held that open none", "args", default=[])
    group = parser.getgroup("hagane")
    group.addoption("--driver", action="append", default=[], help="hold this kind of driver only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for every driver and promise."""
    if "promise" not in metafunc.fixturenames:
        return
    from drivers.conformance.promises import PROMISES, WITHOUT_A_WIRE

    pairs = [
        pytest.param((kind, driver, name), id=f"{kind}-{name}")
        for kind, driver in _drivers(metafunc.config).items()
        for name in (PROMISES if _opens_a_port(driver) else WITHOUT_A_WIRE)
    ]
    metafunc.parametrize("promise", pairs, indirect=True)


@pytest.fixture
def specimens() -> dict[str, Specimen]:
    """What answers each driver, by kind. An author overrides it."""
    return {}


@pytest.fixture
def promise(request: pytest.FixtureRequest, specimens: Mapping[str, Specimen]) -> Promise:
    """One promise of one driver; `promise.keep()` holds the driver to it."""
    from drivers.conformance.specimens import Promise

    kind, driver, name = request.param
    if kind not in specimens:
        pytest.fail(
            f"nothing answers '{kind}': give it a Specimen in the fixture 'specimens', since a "
            "driver that nobody holds to its promises does not ship",
            pytrace=False,
        )
    return Promise(kind, name, driver, specimens[kind])


@pytest.fixture
def replayed() -> Iterator[Callable[..., Any]]:
    """Makes a driver on the record of a night: `replayed(BenchHeater, "heater.jsonl", **options)`.

    Whatever is done with it must send what was sent then, and to the end: the first line that
    differs fails the test. `name` is the device's in messages; `registers="replay:FILE"` and the
    like stand for further ports.
    """
    from drivers.transports.replaying import finish_replays
    from orchestrator.clock import WallClock
    from orchestrator.ports.resource import Bench

    benches: list[Bench] = []

    def make(
        driver: Callable[..., Any], file: str | Path, *, name: str = "replayed", **options: Any
    ) -> Any:
        bench = Bench(name, WallClock())
        benches.append(bench)
        return driver(bench, f"replay:{file}", **options)

    yield make
    for bench in benches:
        finish_replays(bench)


def _drivers(config: pytest.Config) -> dict[str, Any]:
    """The classes to be held, by kind."""
    name = config.getini("hagane_distribution") or _project(config)
    wanted = config.getoption("--driver") or config.getini("hagane_drivers")
    others = config.getini("hagane_without_port")
    found = dict(_installed(name, wanted, others))
    lost = [kind for kind in wanted or others if kind not in found]
    if lost:
        pytest.fail(f"'{lost[0]}' is not a driver of '{name}'", pytrace=False)
    if not found:
        pytest.fail(_NONE.format(name=name), pytrace=False)
    return found


def _project(config: pytest.Config) -> str:
    file = config.rootpath / "pyproject.toml"
    project = tomllib.loads(file.read_text("utf-8")).get("project", {}) if file.is_file() else {}
    if "name" not in project:
        pytest.fail(f"{file} names no project: set 'hagane_distribution'", pytrace=False)
    return str(project["name"])


def _installed(name: str, wanted: list[str], others: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        entries = importlib.metadata.distribution(name).entry_points
    except importlib.metadata.PackageNotFoundError:
        pytest.fail(f"'{name}' is not installed: pip install -e .", pytrace=False)
    for entry in sorted(entries.select(group="hagane.resources"), key=lambda e: e.name):
        if wanted and entry.name not in wanted:
            continue
        cls = entry.load()
        if wanted or entry.name in others or _opens_a_port(cls):
            yield entry.name, cls


def _opens_a_port(driver: Any) -> bool:
    return "port" in inspect.signature(driver).parameters
