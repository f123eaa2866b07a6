"""Alicat mass-flow controllers: `<ID><command>CR`, no checksum.

Source: the data frame printed in Alicat's "Serial Communications Primer" (DOC-ASCII-PRIMER),
`A +014.70 +025.00 +012.500 +012.500 +012.500 Ar`: pressure (psia), temperature (degC),
volumetric flow, mass flow, set-point (device units), gas, then status words. A totaliser, where
fitted, adds one number before the gas. A set-point is `AS12.50`; `A12345` without the S is an
older command that sets an integer set-point and is never sent. An unknown command answers `?`;
units with another ID stay silent.

Other people's software does not agree in two places, where the maker decides. `labmcp-alicat`'s
simulated unit takes a set-point with a space only (`AS 12.5`); the maker's manuals print `as12.5`
(MC series manual, page 43; the tutorial on its site), as `alicat` sends it, and so does this. The
same unit answers `?` to a register read (`AR122`), which `alicat` needs and this does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, number, text, until

CR = b"\r"


@dataclass(frozen=True)
class DataFrame:
    """One data frame. `resolution` is the last digit of the set-point as printed."""

    unit_id: str
    pressure_psia: float
    temperature_degc: float
    volumetric: float
    mass: float
    setpoint: float
    gas: str
    flags: tuple[str, ...] = ()
    resolution: float = 0.001


def request(unit_id: str, command: str = "") -> bytes:
    """A request; without a command it polls the data frame."""
    return f"{unit_id}{command}".encode("ascii") + CR


def set_point(unit_id: str, flow: float) -> bytes:
    """A request that sets the flow, in the unit's own flow unit with three decimals."""
    return request(unit_id, f"S{flow:.3f}")


def encode(frame: DataFrame) -> bytes:
    """A data frame as the unit sends it."""
    line = (
        f"{frame.unit_id} {frame.pressure_psia:+07.2f} {frame.temperature_degc:+07.2f} "
        f"{frame.volumetric:+08.3f} {frame.mass:+08.3f} {frame.setpoint:+08.3f} {frame.gas:>6}"
    )
    return " ".join((line, *frame.flags)).encode("ascii") + CR


def decode(reply: bytes, unit_id: str) -> DataFrame:
    """Reads a data frame of the unit `unit_id`.

    Raises:
        Refused: the unit answered `?`.
        Garbled: it is no data frame, or another unit's.
    """
    line = text(reply)
    if line.lstrip(unit_id).strip() == "?":
        raise Refused("the unit does not know the command")
    words = line.split()
    if len(words) < 7:
        raise Garbled(f"'{line}' is not a data frame")
    if words[0] != unit_id:
        raise Garbled(f"unit '{words[0]}' answered instead of '{unit_id}'")
    pressure, temperature, volumetric, mass, setpoint = (number(word) for word in words[1:6])
    rest = words[6:]
    if rest[0][0] in "+-0123456789" and len(rest) > 1:
        rest = rest[1:]
    decimals = len(words[5].partition(".")[2])
    return DataFrame(
        unit_id=unit_id,
        pressure_psia=pressure,
        temperature_degc=temperature,
        volumetric=volumetric,
        mass=mass,
        setpoint=setpoint,
        gas=rest[0],
        flags=tuple(rest[1:]),
        resolution=10.0**-decimals,
    )


def ask(unit_id: str, data: bytes) -> Dialogue[DataFrame]:
    """Sends a request and reads the data frame that answers it."""
    return decode((yield Ask(data, until(CR))), unit_id)
