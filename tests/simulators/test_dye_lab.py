"""The spectrometer over the wet bench: Beer and Lambert, and a file that takes its time."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.files.folder import is_in_use
from drivers.formats import columns
from orchestrator.clock import VirtualClock
from simulators.lab.dyes import BANDS, absorbance, measured, stock_absorbance
from simulators.twins.control import Served
from simulators.twins.dye_lab import DyeLab
from simulators.twins.folder import FolderWire
from simulators.twins.spectrometer import SAVING_S, WAVELENGTHS, Spectrometer

volumes = st.fixed_dictionaries({name: st.floats(1, 500) for name in (*BANDS, "water")})


@given(mixed=volumes, wavelength=st.floats(380, 780))
def test_absorbances_add_up_and_thinning_by_half_halves_them(
    mixed: dict[str, float], wavelength: float
) -> None:
    total = sum(mixed.values())
    parts = sum(v / total * stock_absorbance(n, wavelength) for n, v in mixed.items())
    assert absorbance(mixed, wavelength) == pytest.approx(parts)
    thinned = mixed | {"water": mixed["water"] + total}
    assert absorbance(thinned, wavelength) == pytest.approx(parts / 2)


def test_water_and_an_empty_vessel_absorb_nothing() -> None:
    assert absorbance({"water": 100.0}, 500) == absorbance({}, 500) == 0.0


def test_stray_light_keeps_a_dark_mixture_from_reading_what_it_is() -> None:
    reading = [measured(5.0, "dark", n) for n in range(50)]
    assert max(reading) <= 3.0
    mean = sum(measured(0.5, "light", n) for n in range(500)) / 500
    assert mean == pytest.approx(0.5, abs=2e-3)


class Probe:
    """A spectrometer in a vessel of one dye."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.twin = Spectrometer(7, self.clock, lambda: {"cyan": 100.0, "water": 900.0})
        self.wire = self.twin.wire()

    def look(self) -> None:
        self.clock.run(self.wire.receive(b""))  # type: ignore[arg-type]

    def passes(self, seconds: float) -> None:
        self.clock.start_at(self.clock.now() + seconds)
        self.look()


def test_a_job_becomes_a_file_that_grows_while_it_is_open() -> None:
    probe = Probe()
    folder = probe.wire.folder
    (folder / "a.job").write_text("first\n")
    probe.look()
    assert not (folder / "a.job").exists()
    probe.passes(SAVING_S / 2)
    half = (folder / "first.csv").read_text()
    assert is_in_use(folder, "first.csv")
    probe.passes(SAVING_S / 2)
    whole = (folder / "first.csv").read_text()
    assert whole.startswith(half)
    assert 0 < len(half) < len(whole)
    assert not is_in_use(folder, "first.csv")
    x, y = columns.parse(whole.encode()).columns
    assert x.values == WAVELENGTHS
    place = WAVELENGTHS[max(range(len(y.values)), key=y.values.__getitem__)]
    assert place == 630
    assert max(y.values) == pytest.approx(0.19, abs=0.01)


def test_jobs_wait_for_each_other_in_their_order() -> None:
    probe = Probe()
    folder = probe.wire.folder
    for name in ("a", "b"):
        (folder / f"{name}.job").write_text(name)
        time.sleep(0.01)  # their times tell their order
    probe.look()
    assert (folder / "b.job").exists()
    probe.passes(SAVING_S)
    probe.passes(SAVING_S)
    assert (folder / "a.csv").exists()
    assert (folder / "b.csv").exists()


def test_scatter_hangs_on_the_name_of_the_file_alone() -> None:
    def spectrum(name: str) -> str:
        probe = Probe()
        (probe.wire.folder / "j.job").write_text(name)
        probe.look()
        probe.passes(SAVING_S)
        return (probe.wire.folder / f"{name}.csv").read_text()

    assert spectrum("one") == spectrum("one")
    assert spectrum("one") != spectrum("two")


def test_the_probe_sees_what_is_in_the_vessel_of_the_bench() -> None:
    clock = VirtualClock()
    lab = DyeLab(seed=7, clock=clock)
    lab.bench.give("vessel", {"magenta": 200.0, "water": 200.0}, clock.now())
    wire = lab.wires["spectra"]
    assert isinstance(wire, FolderWire)
    (wire.folder / "m.job").write_text("m")
    clock.run(wire.receive(b""))  # type: ignore[arg-type]
    clock.start_at(clock.now() + SAVING_S)
    clock.run(wire.receive(b""))  # type: ignore[arg-type]
    _, y = columns.parse((wire.folder / "m.csv").read_bytes()).columns
    assert max(y.values) == pytest.approx(1.05, abs=0.02)


def test_a_served_lab_has_its_folder_beside_its_ports(tmp_path: Path) -> None:
    with Served(tmp_path, seed=7, speed=2000.0, world="dye-lab") as served:
        folder = Path(served.ports["spectra"])
        (folder / "x.job").write_text("x")
        end = time.monotonic() + 30
        while not (folder / "x.csv").exists() or is_in_use(folder, "x.csv"):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert len(columns.parse((folder / "x.csv").read_bytes()).columns[0].values) == len(
            WAVELENGTHS
        )
        served.control.fail("spectra", "hang")
        with pytest.raises(ValueError, match="cannot 'garble'"):
            served.control.fail("spectra", "garble")
    assert not math.isnan(served.facts["speed"])
