"""The wheel: exactly the four packages, alive in an environment without anything else of ours."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "drivers", "simulators", "campaigns")
HAGANE = Path(sys.executable).with_name("hagane")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds our wheel; its dependencies are borrowed."""

    folder: Path

    @property
    def site(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def python(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return _run(self.folder / "bin" / "python", *words, cwd=self.folder)

    def hagane(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _run(self.folder / "bin" / "hagane", *words, cwd=self.folder)


def _run(
    *command: str | Path, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["HAGANE_DATA"] = str(cwd / "data")
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation")
    done = _run(*build, "--outdir", folder, ROOT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def environment(wheel: Path, tmp_path: Path) -> Environment:
    folder = tmp_path / "empty"
    made = _run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install")
    installed = _run(*pip, "-q", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    ready = Environment(folder)
    borrowed = sysconfig.get_paths()["purelib"]
    (ready.site / "borrowed.pth").write_text(f"{borrowed}\n")
    return ready


def test_the_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    packed = {name for name in names if not name.startswith("hagane-")}
    written = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == written
    assert {name.split("/")[0] for name in names - packed} == {
        f"hagane-{importlib.metadata.version('hagane')}.dist-info"
    }
    endings = {Path(name).suffix for name in packed}
    assert {".py", ".yaml", ".csv", ".html", ".js", ".css", ".typed"} <= endings


@pytest.mark.slow
def test_an_installed_wheel_works_where_nothing_else_of_ours_is(environment: Environment) -> None:
    where = environment.python("-c", "import drivers, orchestrator; print(orchestrator.__file__)")
    assert where.stdout.startswith(str(environment.site)), where.stderr
    examined = environment.hagane("doctor", "--json")
    assert examined.returncode == 0, examined.stdout
    findings = {finding["what"]: finding["said"] for finding in json.loads(examined.stdout)}
    for group in ("capabilities", "resources", "planners", "twins", "campaigns"):
        assert findings[group].endswith("all load")
        assert int(findings[group].split()[0]) >= 1
    played = environment.hagane("rehearse", "niobium_titania", "--planner", "sobol", "--trials=1")
    assert played.returncode == 0, played.stderr
    assert "the budget of 1 trial is used" in played.stdout


@pytest.mark.slow
def test_the_clash_guard_names_a_distribution_that_put_files_into_ours(
    environment: Environment,
) -> None:
    (environment.site / "drivers" / "theirs.py").write_text("")
    _pretend(environment.site, "their-lab", "drivers/theirs.py")
    ran = environment.hagane("run", "niobium_titania")
    assert ran.returncode == 5
    assert "'drivers' is also provided by their-lab" in ran.stderr
    assert "hint: install hagane into an environment of its own" in ran.stderr
    assert not (environment.folder / "data").exists(), "nothing was begun"
    examined = environment.hagane("doctor")
    assert examined.returncode == 5
    assert "BAD import names: the import name 'drivers' is also provided by their-lab" in (
        examined.stdout
    )


@pytest.mark.parametrize("with_record", [True, False], ids=["a distribution", "a bare folder"])
def test_the_clash_guard_sees_a_package_that_stands_before_an_editable_installation(
    tmp_path: Path, *, with_record: bool
) -> None:
    folder = tmp_path / "theirs"
    (folder / "simulators").mkdir(parents=True)
    (folder / "simulators" / "__init__.py").write_text("")
    if with_record:
        _pretend(folder, "their-simulators", "simulators/__init__.py")
    ran = _run(HAGANE, "run", "niobium_titania", cwd=tmp_path, path=folder)
    assert ran.returncode == 5
    guilty = "their-simulators" if with_record else str(folder / "simulators")
    assert f"the import name 'simulators' is also provided by {guilty}" in ran.stderr


def _pretend(folder: Path, distribution: str, *files: str) -> None:
    """Writes what an installer leaves of a distribution that owns `files`."""
    facts = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (facts / "RECORD").write_text("".join(f"{name},,\n" for name in files))
