"""What is installed is found by entry points, whoever provides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import plugins
from orchestrator.errors import InputError, NameClash, UnknownName

KINDS = '''
from typing import Annotated, ClassVar

from orchestrator.ports.action import Cancel, Effect, Unit, action, reading


class Balance:
    """A balance of a lab next door."""

    implements: ClassVar[tuple[str, ...]] = ("Weighing",)

    def __init__(
        self,
        bench: object,
        port: str,
        full_scale: Annotated[float, Unit("g", low=1, high=500)],
        repeats: int = 3,
        is_quiet: bool = False,
        note: str | None = None,
        offset: Annotated[float | None, Unit("mg")] = None,
    ) -> None:
        self.bench = bench

    @reading
    async def mass(self) -> Annotated[float, Unit("g")]:
        """The mass."""
        return 0.0


class Unannotated:
    def __init__(self, bench: object, port) -> None:
        self.bench = bench


class Nested:
    def __init__(self, bench: object, ports: list[str]) -> None:
        self.bench = bench


class Unitless:
    def __init__(self, bench: object) -> None:
        self.bench = bench

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def heat(self, to: float) -> None:
        """Heats."""


class Passing:
    parts = {"supply": "SputterSupply"}
    passes_on = {"deposit": {"power": ("supply.power",)}}

    def __init__(self, bench: object) -> None:
        self.bench = bench


class Weighing:
    @reading
    async def mass(self) -> Annotated[float, Unit("g")]:
        """The mass."""
        return 0.0
'''
ENTRY_POINTS = """
[hagane.resources]
next-door-balance = next_door_kinds:Balance
next-door-unannotated = next_door_kinds:Unannotated
next-door-nested = next_door_kinds:Nested
next-door-unitless = next_door_kinds:Unitless
next-door-passing = next_door_kinds:Passing
next-door-missing = next_door_kinds:Missing
next-door-broken = next_door_broken:Anything

[hagane.capabilities]
NextDoorWeighing = next_door_kinds:Weighing
"""


@pytest.fixture
def next_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution of somebody else, installed beside ours."""
    (tmp_path / "next_door_kinds.py").write_text(KINDS)
    (tmp_path / "next_door_broken.py").write_text("raise RuntimeError('no licence found')\n")
    described = tmp_path / "next_door-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: next-door\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_everything_of_ours_is_found_and_loads() -> None:
    for group in ("capabilities", "resources", "planners", "twins", "campaigns"):
        names = plugins.installed(group)
        assert names, group
        for name in names:
            plugins.load(group, name)


@pytest.mark.usefixtures("next_door")
def test_a_kind_of_somebody_else_is_found_like_ours() -> None:
    kind = plugins.resource_kind("next-door-balance")
    assert kind.cls.__name__ == "Balance"
    assert kind.implements == ("Weighing",)
    assert kind.doc == "A balance of a lab next door."
    assert set(kind.actions) == {"mass"}
    assert set(plugins.capability("NextDoorWeighing")) == {"mass"}


@pytest.mark.usefixtures("next_door")
def test_options_come_from_the_constructors_signature() -> None:
    options = plugins.resource_kind("next-door-balance").options
    assert "bench" not in options
    seen = {n: (o.kind, o.required, o.default, o.unit) for n, o in options.items()}
    assert seen == {
        "port": ("text", True, None, ""),
        "full_scale": ("real", True, None, "g"),
        "repeats": ("integer", False, 3, ""),
        "is_quiet": ("boolean", False, False, ""),
        "note": ("text", False, None, ""),
        "offset": ("real", False, None, "mg"),
    }
    bounds = {n: (o.low, o.high) for n, o in options.items() if o.low is not None}
    assert bounds == {"full_scale": (1, 500)}


@pytest.mark.usefixtures("next_door")
@pytest.mark.parametrize("name", ["next-door-unannotated", "next-door-nested"])
def test_an_option_that_a_file_could_not_give_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}'.*option 'port"):
        plugins.resource_kind(name)


def test_an_unknown_kind_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName) as refused:
        plugins.resource_kind("keithly-2400")
    assert refused.value.hint == "did you mean 'keithley-2400'?"


@pytest.mark.usefixtures("next_door")
@pytest.mark.parametrize(
    ("name", "said"),
    [("next-door-missing", "Missing"), ("next-door-broken", "no licence found")],
)
def test_a_broken_plugin_is_refused_and_not_a_crash(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        plugins.load("resources", name)
    assert "reinstall" in refused.value.hint


def test_our_names_are_ours_alone_here() -> None:
    plugins.refuse_name_clash()


def test_another_owner_of_our_import_names_is_refused_by_name(next_door: Path) -> None:
    (next_door / "next_door-1.0.dist-info" / "top_level.txt").write_text("drivers\n")
    with pytest.raises(NameClash, match="'drivers' is also provided by next-door"):
        plugins.refuse_name_clash()


@pytest.mark.parametrize("installed", ["drivers/__init__.py", "drivers.py"])
def test_an_owner_that_only_lists_its_files_is_found_too(next_door: Path, installed: str) -> None:
    record = f"next_door_kinds.py,,\n{installed},sha256=0,12\n"
    (next_door / "next_door-1.0.dist-info" / "RECORD").write_text(record)
    with pytest.raises(NameClash, match="'drivers' is also provided by next-door"):
        plugins.refuse_name_clash()


def test_a_file_of_somebody_else_that_only_begins_like_ours_is_no_clash(next_door: Path) -> None:
    record = "drivers_of_pumps/__init__.py,,\npumps/drivers/__init__.py,,\n"
    (next_door / "next_door-1.0.dist-info" / "RECORD").write_text(record)
    plugins.refuse_name_clash()


@pytest.mark.usefixtures("next_door")
def test_a_kind_that_passes_on_to_no_argument_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"next-door-passing.*'supply\.power'") as refused:
        plugins.resource_kind("next-door-passing")
    assert refused.value.hint == "write PART.ACTION.ARGUMENT; its parts are supply"


@pytest.mark.usefixtures("next_door")
def test_a_kind_whose_action_has_no_unit_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="'next-door-unitless' declares an action wrongly: heat"):
        plugins.resource_kind("next-door-unitless")
