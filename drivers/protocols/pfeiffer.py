"""Pfeiffer Vacuum TPG 26x and 36x gauges: mnemonics with ACK and ENQ.

Source: operating instructions of the TPG 261/262 (BG 805 196) and TPG 361/362 (BG 5500), chapter
on the serial interface. The host sends `MNE[,parameter] CR`; the gauge answers ACK CR LF or
NAK CR LF; the host sends ENQ; the gauge answers data CR LF. ETX clears the interface's buffer and
ends the continuous output of 1 Hz that runs after power-up. After NAK, ENQ gives the error word.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, number, text, until

ETX, ENQ, ACK, NAK = b"\x03", b"\x05", b"\x06", b"\x15"
END = b"\r\n"

STATUS = {
    0: "measurement data okay",
    1: "under range",
    2: "over range",
    3: "sensor error",
    4: "sensor off",
    5: "no sensor",
    6: "identification error",
}
PASCAL_PER_UNIT = {0: 100.0, 1: 133.322368, 2: 1.0, 3: 0.133322368, 4: 100.0}
"""Pressure units by the number that UNI answers: mbar, Torr, Pa, micron, hPa."""


def clear() -> Dialogue[None]:
    """Ends the continuous output and forgets what has been sent so far."""
    yield Ask(ETX, drains=True)


def query(mnemonic: str) -> Dialogue[str]:
    """Sends a mnemonic and reads its data.

    Raises:
        Refused: the gauge answered NAK.
        Garbled: it answered neither ACK nor NAK.
    """
    receipt = yield Ask(mnemonic.encode("ascii") + b"\r", until(END))
    if receipt not in (ACK + END, NAK + END):
        raise Garbled(f"{receipt!r} is neither ACK nor NAK")
    line = text((yield Ask(ENQ, until(END))))
    if receipt == NAK + END:
        raise Refused(f"the gauge does not take '{mnemonic}' (error word {line})")
    return line


def decode_reading(line: str) -> tuple[int, float]:
    """Status (see STATUS) and value, in the gauge's unit, of a pressure reading.

    Raises:
        Garbled: it is no pressure reading.
    """
    status, comma, value = line.partition(",")
    if not comma or status not in {str(s) for s in STATUS}:
        raise Garbled(f"'{line}' is not a pressure reading")
    return int(status), number(value)
