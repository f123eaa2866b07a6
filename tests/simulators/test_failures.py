"""Failures told from text, and what is tried against them, with a code that is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from orchestrator.errors import ExecutionError
from simulators.atomistic.computing import run
from simulators.atomistic.curing import Adrift, Incurable, cured, mended
from simulators.atomistic.failures import (
    Code,
    Cure,
    Failure,
    Pattern,
    Settings,
    again,
    classified,
    oscillates,
    put,
    scaled,
    spent,
)
from simulators.atomistic.pwscf import PW
from simulators.atomistic.structures import text_of
from simulators.atomistic.vasprun import VASP

CODE = Code(
    name="toy",
    patterns=(
        Pattern(Failure.KILLED, r"killed by signal 9"),
        Pattern(Failure.DISK, r"No space left"),
        Pattern(Failure.NOT_CONVERGED, r"NOT converged"),
    ),
    cures=(
        Cure("less mixing", (Failure.OSCILLATING,), scaled("beta", 0.5, 0.8, least=0.1), times=2),
        Cure("more steps", (Failure.NOT_CONVERGED,), put({"steps": 100}), restarts=True),
        Cure(
            "wider smearing",
            (Failure.NOT_CONVERGED, Failure.OSCILLATING),
            scaled("width", 2.0, 0.1),
            changes_energy=True,
        ),
        Cure("again", (Failure.KILLED,), again),
    ),
    outputs=("out",),
    residual=r"^left (\S+)",
    bulky=("density*",),
)
UP_AND_DOWN = (
    "\n".join(f"left {x}" for x in (1, 2, 1, 3, 1, 2, 1, 3)) + "\nNOT converged\nJOB DONE\n"
)


def printing(text: Callable[[Settings], str], seen: list[Any]) -> Callable[..., float]:
    """A code that prints, saves a density, and gives the width as its energy."""

    def compute(settings: Settings, directory: Path, source: Path | None) -> float:
        seen.append((dict(settings), directory.name, source and source.name))
        if source is not None:
            assert (source / "density").exists()
        (directory / "density").touch()
        (directory / "out").write_text(text(settings))
        return float(settings.get("width", 0.1))

    return compute


def test_the_text_decides_and_not_its_last_line() -> None:
    assert classified(CODE, "converged\nJOB DONE\n") is None
    assert classified(CODE, "  it is NOT converged yet\nJOB DONE\n") == (
        Failure.NOT_CONVERGED,
        "it is NOT converged yet",
    )
    assert classified(CODE, UP_AND_DOWN) == (Failure.OSCILLATING, "NOT converged")


@pytest.mark.parametrize(
    ("residuals", "is_oscillation"),
    [
        ([1.0], False),
        ([1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], False),  # slow: more steps
        ([1, 0.1, 1e-2, 1e-3, 2e-4, 3e-4, 1e-5, 1e-6], False),  # it gets there
        ([0.09, 3.9, 0.08, 1.1, 0.3, 7.0, 0.8, 21.8, 6.9, 93.9], True),  # pw.x, mixing 5 times
        ([1, 2, 4, 8, 16, 32, 64], True),
    ],
)
def test_an_oscillation_is_what_gains_nothing(residuals: list[float], is_oscillation: bool) -> None:
    assert oscillates(residuals) == is_oscillation


def test_cures_are_tried_in_order_each_in_a_directory_of_its_own(tmp_path: Path) -> None:
    seen: list[Any] = []
    compute = printing(lambda s: UP_AND_DOWN if s["beta"] > 0.3 else "well", seen)
    found, record = mended(lambda: cured(CODE, {"beta": 0.8}, compute, root=tmp_path))
    assert found == 0.1
    assert [s["beta"] for s, _, _ in seen] == [0.8, 0.4, 0.2]
    assert [name for _, name, _ in seen] == ["attempt-001", "attempt-002", "attempt-003"]
    assert not record.is_altered
    assert record.text == (
        "toy: SCF oscillation, less mixing (beta 0.8 -> 0.4); "
        "toy: SCF oscillation, less mixing (beta 0.4 -> 0.2)"
    )
    written = json.loads((tmp_path / "attempt-002" / "attempt.json").read_text())
    assert written["failure"] == "SCF oscillation"
    assert written["changes"] == [["beta", 0.8, 0.4]]
    assert written["settings"] == {"beta": 0.4}
    assert not list(tmp_path.glob("*/density"))


def test_more_steps_begin_from_what_was_saved(tmp_path: Path) -> None:
    seen: list[Any] = []
    compute = printing(lambda s: "well" if "steps" in s else "NOT converged", seen)
    cured(CODE, {}, compute, root=tmp_path)
    assert [source for _, _, source in seen] == [None, "attempt-001"]


def test_what_changes_the_energy_is_tried_only_when_it_may_be(tmp_path: Path) -> None:
    seen: list[Any] = []
    compute = printing(lambda s: "well" if s.get("width", 0) > 0.1 else "NOT converged", seen)
    with pytest.raises(Incurable, match="toy: not converged") as caught:
        cured(CODE, {"width": 0.1}, compute, root=tmp_path / "a")
    assert "tried: more steps; `cures: all` would also try: wider smearing" in str(caught.value)
    with pytest.raises(Incurable):
        cured(CODE, {"width": 0.1}, compute, root=tmp_path / "b", allowed="none")
    assert len(list((tmp_path / "b").iterdir())) == 1
    found, record = mended(
        lambda: cured(CODE, {"width": 0.1}, compute, root=tmp_path / "c", allowed="all")
    )
    assert found == 0.2
    assert record.is_altered
    assert "wider smearing (width 0.1 -> 0.2), which changes the energy" in record.text


def test_energies_of_two_kinds_are_never_in_one_result(tmp_path: Path) -> None:
    seen: list[Any] = []

    def one(volume: int) -> float:
        """One of three volumes, of which the second needs a wider smearing."""

        def text(settings: Settings) -> str:
            return "NOT converged" if volume == 1 and settings["width"] < 0.2 else "well"

        settings = {"width": 0.1, "steps": 100}
        return cured(CODE, settings, printing(text, seen), root=tmp_path, allowed="all")

    found, record = mended(lambda: [one(volume) for volume in range(3)])
    assert found == [0.2, 0.2, 0.2]
    assert record.is_altered
    assert len(record.attempts) == 3 + 1 + 3


def test_what_no_structure_is_to_blame_for_is_no_failed_calculation(tmp_path: Path) -> None:
    compute = printing(lambda s: "write: No space left on device", [])
    with pytest.raises(ExecutionError, match="toy: disk full"):
        cured(CODE, {}, compute, root=tmp_path)


def test_an_exception_is_a_text_too_and_an_unknown_one_says_so(tmp_path: Path) -> None:
    def raising(settings: Settings, directory: Path, source: Path | None) -> None:
        raise ValueError("NOT converged" if "steps" not in settings else "something else")

    with pytest.raises(Incurable, match="toy: unknown failure") as caught:
        cured(CODE, {}, raising, root=tmp_path)
    assert caught.value.failure is Failure.UNKNOWN
    assert "(ValueError: something else)" in str(caught.value)


def test_a_calculation_that_is_always_killed_ends(tmp_path: Path) -> None:
    seen: list[Any] = []
    with pytest.raises(Incurable, match="toy: killed"):
        cured(CODE, {}, printing(lambda s: "killed by signal 9", seen), root=tmp_path)
    assert len(seen) == 2


class Touchy(EMT):  # type: ignore[misc]
    """Fails for copper whose cube is shorter than 3.45 angstrom: a step too far."""

    def calculate(self, atoms: Any = None, *given: Any) -> None:
        super().calculate(atoms, *given)
        if (4 * self.atoms.get_volume() / len(self.atoms)) ** (1 / 3) < 3.45:
            raise Incurable("toy", Failure.NOT_CONVERGED, "", [], "")


def touchy(atoms: Any, cures: str = "safe") -> Any:
    return Touchy()


def test_a_relaxation_that_fails_on_its_way_is_made_anew_in_smaller_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wide = text_of(bulk("Cu", a=4.2))
    found = run("relax", wide, f"{__name__}:touchy", {})
    assert found["cures"] == "relaxation: not converged, smaller steps (max_step 0.2 -> 0.05)"
    assert found["altered"] == 0
    assert (4 * found["volume"]) ** (1 / 3) == pytest.approx(3.59, abs=0.01)
    with pytest.raises(Adrift, match="toy: not converged"):
        run("relax", wide, f"{__name__}:touchy", {"cures": "none"})
    # what fails where it begins fails in any steps
    with pytest.raises(Incurable):
        run("relax", text_of(bulk("Cu", a=3.4)), f"{__name__}:touchy", {})


class Climbing(EMT):  # type: ignore[misc]
    """Its forces lead uphill, as those of a cutoff that is too low for the stress."""

    def calculate(self, atoms: Any = None, *given: Any) -> None:
        super().calculate(atoms, *given)
        self.results["energy"] = -self.results["energy"]


def climbing(atoms: Any, cures: str = "safe") -> Any:
    return Climbing()


def test_a_relaxation_that_climbs_is_stopped_and_says_what_to_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    copper = bulk("Cu", cubic=True) * (2, 1, 1)
    copper.rattle(0.3, seed=1)
    with pytest.raises(
        Adrift, match=r"energy rises along the forces .* raise its cutoff"
    ) as caught:
        run("relax", text_of(copper), f"{__name__}:climbing", {})
    assert caught.value.failure is Failure.RISING
    assert (tmp_path / "relax.log").read_text().count("BFGS:") < 60


@pytest.mark.parametrize(
    ("code", "text", "seconds"),
    [
        (PW, "     PWSCF        :      0.20s CPU      0.86s WALL\n", 0.2),
        (PW, "     PWSCF        :   1m 2.50s CPU   2m 3.00s WALL\n", 62.5),
        (PW, "     PWSCF        :   1h23m CPU   1h30m WALL\n", 4980.0),
        (
            PW,
            "     Parallel version (MPI), running on     3 processors\n"
            "     electrons    :      0.15s CPU      0.69s WALL (       1 calls)\n"
            "     PWSCF        :      0.20s CPU      0.86s WALL\n",
            0.6,
        ),
        (
            PW,
            "     Parallel version (MPI & OpenMP), running on      16 processor cores\n"
            "     Number of MPI processes:                 4\n"
            "     PWSCF        :      8.00s CPU      2.00s WALL\n",
            32.0,
        ),
        (VASP, " running on   16 total cores\n  Total CPU time used (sec):       12.500\n", 200.0),
        (PW, "     Parallel version (MPI), running on     3 processors\n", 0.0),
        (CODE, "took 3 s", 0.0),
    ],
)
def test_a_code_says_what_all_its_ranks_took(code: Code, text: str, seconds: float) -> None:
    assert spent(code, text) == pytest.approx(seconds)


def test_ranks_that_are_no_children_of_the_calculation_count_in_what_it_took(
    tmp_path: Path,
) -> None:
    code = replace(CODE, ranks=r"(\d+) ranks", spent=r"took (\S+)")
    says = "16 ranks\ntook 100\n"
    _, record = mended(lambda: cured(code, {}, printing(lambda _: says, []), root=tmp_path))
    assert record.elsewhere_s == pytest.approx(1600.0, abs=10)
    _, record = mended(
        lambda: cured(code, {}, printing(lambda _: "1 ranks\ntook 0", []), root=tmp_path)
    )
    assert record.elsewhere_s == 0.0, "what it took itself is counted once"


@pytest.mark.parametrize(
    ("failing", "tried"),
    [
        ("Maximum CPU time exceeded", "on from what was saved"),
        ("killed by signal 9", "again"),
    ],
)
def test_what_no_density_led_to_is_cured_as_ever(tmp_path: Path, failing: str, tried: str) -> None:
    """A step that its walltime ended goes on from what it saved, and is not begun anew."""
    came: list[Any] = []

    def ended(settings: Settings, directory: Path, source: Path | None) -> float:
        came.append(source and source.name)
        (directory / "pwscf.save").mkdir()
        said = failing if len(came) == 2 else "convergence has been achieved"
        (directory / "espresso.pwo").write_text(said + "\n")
        if said == failing:
            raise RuntimeError("it ended")
        return 1.0

    def relax(allowed: str) -> None:
        for _ in range(3):
            cured(PW, {}, ended, root=tmp_path / allowed, density_of="Si", allowed=allowed)

    _, record = mended(lambda: relax("safe"))
    assert record.text.endswith(f", {tried}")
    goes_on = tried == "on from what was saved"
    assert came[1:3] == ["attempt-001", "attempt-002" if goes_on else None]
    came.clear()
    with pytest.raises(Incurable):
        mended(lambda: relax("none"))
    assert len(came) == 2


def test_a_step_begins_from_the_density_of_the_one_before(tmp_path: Path) -> None:
    """Of the same atoms; and what it fails with is no failure of the structure, nor of the
    settings, until it has begun anew."""
    seen: list[Any] = []

    def spoilt_by_density(settings: Settings, directory: Path, source: Path | None) -> float:
        seen.append((directory.name, source and source.name))
        (directory / "density").touch()
        is_spoilt = len(seen) == 3
        (directory / "out").write_text("NOT converged\n" if is_spoilt else "converged\n")
        return 1.0

    def step(density_of: str) -> float:
        return cured(CODE, {"steps": 9}, spoilt_by_density, root=tmp_path, density_of=density_of)

    def relax() -> None:
        for density_of in ("C C", "C C", "C C", "C C", "C O", "", "C O"):
            step(density_of)
            assert len(list(tmp_path.glob("*/density"))) == (1 if density_of else 0)

    _, record = mended(relax)
    names = [f"attempt-{number:03d}" for number in range(1, 9)]
    assert seen == [
        (names[0], None),
        (names[1], names[0]),
        (names[2], names[1]),
        (names[3], None),
        (names[4], names[3]),
        (names[5], None),
        (names[6], None),
        (names[7], None),
    ]
    assert record.text == "toy: not converged, begun anew"
    assert record.changed == {}
    assert not list(tmp_path.glob("*/density")), "none is left when all is done"
    assert json.loads((tmp_path / names[1] / "attempt.json").read_text())["began_from"] == names[0]
