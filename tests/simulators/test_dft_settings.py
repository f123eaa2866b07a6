"""What kinds of density functional theory are asked alike."""

from __future__ import annotations

from typing import Any

import pytest
from ase import Atoms

from orchestrator.errors import InputError
from simulators.atomistic.dft_settings import (
    DftSettings,
    dft_settings,
    manifold_of,
    shell_of,
    start_moments,
)


def settings(**changed: Any) -> DftSettings:
    usual = {
        "k_density": 3.5,
        "smearing": "fermi-dirac",
        "width": 0.1,
        "moments": "",
        "magnetic_order": "ferromagnetic",
        "hubbard_u": "",
    }
    return dft_settings(**{**usual, **changed})


def test_elements_are_given_their_moments_and_u() -> None:
    found = settings(moments="O=0, Fe=2.2", hubbard_u="Fe=4.0 eV, O=1000 meV")
    assert found.moments == {"Fe": 2.2, "O": 0.0}
    assert found.hubbard_u == pytest.approx({"Fe": 4.0, "O": 1.0})
    assert [shell_of(element) for element in ("Fe", "O", "Ce", "H")] == ["d", "p", "f", "s"]
    known = ("Fe", "O", "Ce", "H", "Ag", "Au", "U", "S", "Zn", "Ga")
    quantum = ["3d", "2p", "4f", "1s", "4d", "5d", "5f", "3p", "3d", "4p"]
    assert [manifold_of(element) for element in known] == quantum
    assert settings(smearing="none").width_ev == 0.0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"moments": "Fe=1000"}, "'moments' of Fe is 1000 Bohr magnetons, beyond all"),
        ({"hubbard_u": "Fe=4 hartree"}, "'hubbard_u' of Fe is 108"),
        ({"smearing": "warm"}, "'warm' is not a word for 'smearing'"),
        ({"magnetic_order": "up"}, "'up' is not a word for 'magnetic_order'"),
        ({"magnetic_order": "antiferromagnetic"}, "no element has a moment to start from"),
        ({"moments": "Fe 2"}, "'Fe 2' in 'moments' is no pair of a name and a value"),
        ({"moments": "Fe=two"}, "two"),
        ({"moments": "Fo=2"}, "'Fo' in 'moments' is no element"),
        ({"moments": "Fe=2, Fe=3"}, "'Fe' stands twice"),
        ({"hubbard_u": "Fe=4"}, "has no unit where one like 'eV' is needed"),
    ],
)
def test_what_contradicts_or_is_unknown_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        settings(**changed)


def test_moments_start_up_and_down_in_turn_unless_the_structure_brings_its_own() -> None:
    iron = Atoms("Fe2", scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5)], cell=[2.87] * 3, pbc=True)
    start_moments(iron, {"Fe": 2.0}, "antiferromagnetic")
    assert iron.get_initial_magnetic_moments().tolist() == [2.0, -2.0]
    start_moments(iron, {"Fe": 3.0}, "ferromagnetic")
    assert iron.get_initial_magnetic_moments().tolist() == [2.0, -2.0]
    bare = Atoms("Fe", cell=[2.4] * 3, pbc=True)
    start_moments(bare, {"Fe": 3.0}, "ferromagnetic")
    assert bare.get_initial_magnetic_moments().tolist() == [3.0]
