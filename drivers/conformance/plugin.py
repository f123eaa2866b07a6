"""Every promise over every driver of a distribution, as a plug-in that its pytest asks for.

    [tool.pytest.ini_options]
    addopts = "-p drivers.conformance.plugin"

A test that takes the fixture `promise` runs once for every driver and promise. The drivers are the
kinds of `hagane.resources` that this distribution installs and that open a `port` or have the
`address` of a server, and those that `hagane_without_port` names (composites, a watched folder);
without a port they are held to the promises that need no wire. `hagane_drivers` names others, or
fewer; the mark `drivers(KIND, ...)` of a test has it run for these only. The fixture `specimens`,
which the author overrides, says what answers each.

A test that takes the fixture `twin_promise` runs once for every world of twins (`hagane.twins`) of
the distribution, for every promise of a world and every fault that one of its ports can have; the
fixture `clients` says which drivers speak to it. Without such tests nothing is imported and nothing
happens. `replayed` makes a driver on the record of a night.
"""

from __future__ import annotations

import importlib.metadata
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from drivers.conformance.specimens import Promise, Specimen
    from drivers.conformance.worlds import Client, TwinPromise

_NONE = (
    "the distribution '{name}' installs no {what}: after a change of its entry points, install it "
    "again (pip install -e .)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two settings, and an option to try a few drivers only."""
    parser.addini(
        "hagane_distribution", "whose drivers are held to the promises  [the project's]", default=""
    )
    parser.addini(
        "hagane_drivers", "kinds to be held  [all with a port or an address]", "args", default=[]
    )
    parser.addini("hagane_without_port", "kinds to be held that open none", "args", default=[])
    group = parser.getgroup("hagane")
    group.addoption("--driver", action="append", default=[], help="hold this kind of driver only")


def pytest_configure(config: pytest.Config) -> None:
    """The mark."""
    config.addinivalue_line("markers", "drivers(KIND, ...): the kinds that `promise` is given for")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for every driver and promise, for every world of twins and promise."""
    if "promise" in metafunc.fixturenames:
        _every_driver(metafunc)
    if "twin_promise" in metafunc.fixturenames:
        _every_world(metafunc)


def _every_driver(metafunc: pytest.Metafunc) -> None:
    from drivers.conformance.promises import promises_for

    mark = metafunc.definition.get_closest_marker("drivers")
    pairs = [
        pytest.param((kind, driver, name), id=f"{kind}-{name}")
        for kind, driver in _drivers(metafunc.config, mark.args if mark else ()).items()
        for name in promises_for(driver)
    ]
    metafunc.parametrize("promise", pairs, indirect=True)


def _every_world(metafunc: pytest.Metafunc) -> None:
    from drivers.conformance.worlds import promises_of

    name = _distribution(metafunc.config)
    worlds = {entry.name: entry.load() for entry in _entries(name, "hagane.twins")}
    if not worlds:
        pytest.fail(_NONE.format(name=name, what="world of twins"), pytrace=False)
    pairs = [
        pytest.param((world, twins, promise), id=f"{world}-{promise}")
        for world, twins in worlds.items()
        for promise in promises_of(twins)
    ]
    metafunc.parametrize("twin_promise", pairs, indirect=True)


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
def clients() -> dict[str, list[Client]]:
    """The drivers that speak to each world of twins, by its name. An author overrides it."""
    return {}


@pytest.fixture
def twin_promise(
    request: pytest.FixtureRequest, clients: Mapping[str, Sequence[Client]]
) -> TwinPromise:
    """One promise of one world of twins; `twin_promise.keep()` holds it, and its drivers, to it."""
    from drivers.conformance.worlds import TwinPromise

    world, twins, name = request.param
    if world not in clients:
        pytest.fail(
            f"nobody speaks to the twins '{world}': name its drivers in the fixture 'clients', "
            "since twins that were never tried rehearse nothing",
            pytrace=False,
        )
    return TwinPromise(world, name, twins, tuple(clients[world]))


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


def _drivers(config: pytest.Config, marked: Sequence[str]) -> dict[str, Any]:
    """The classes to be held, by kind."""
    name = _distribution(config)
    others = config.getini("hagane_without_port")
    named = config.getoption("--driver")
    wanted = [kind for kind in named if not marked or kind in marked] if named else list(marked)
    wanted = wanted or ([] if named else config.getini("hagane_drivers"))
    if named and not wanted:
        return {}
    found = dict(_installed(name, wanted, others))
    lost = [kind for kind in wanted or others if kind not in found]
    if lost:
        pytest.fail(f"'{lost[0]}' is not a driver of '{name}'", pytrace=False)
    if not found:
        pytest.fail(_NONE.format(name=name, what="driver"), pytrace=False)
    return found


def _distribution(config: pytest.Config) -> str:
    """The one whose drivers and twins are held."""
    if name := config.getini("hagane_distribution"):
        return str(name)
    file = config.rootpath / "pyproject.toml"
    project = tomllib.loads(file.read_text("utf-8")).get("project", {}) if file.is_file() else {}
    if "name" not in project:
        pytest.fail(f"{file} names no project: set 'hagane_distribution'", pytrace=False)
    return str(project["name"])


def _entries(name: str, group: str) -> list[importlib.metadata.EntryPoint]:
    try:
        entries = importlib.metadata.distribution(name).entry_points
    except importlib.metadata.PackageNotFoundError:
        pytest.fail(f"'{name}' is not installed: pip install -e .", pytrace=False)
    return sorted(entries.select(group=group), key=lambda entry: entry.name)


def _installed(name: str, wanted: list[str], others: list[str]) -> Iterator[tuple[str, Any]]:
    from drivers.conformance.promises import takes

    for entry in _entries(name, "hagane.resources"):
        if wanted and entry.name not in wanted:
            continue
        cls = entry.load()
        if wanted or entry.name in others or takes(cls, "port") or takes(cls, "address"):
            yield entry.name, cls
