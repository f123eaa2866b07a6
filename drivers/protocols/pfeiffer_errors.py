"""What the error and warning codes of Pfeiffer Vacuum's turbo drives mean (parameter 303).

Source: the tables of errors and warnings in the operating instructions of the TC 110, TC 400 and
TM 700. A code that is not here is told as it is.
"""

from __future__ import annotations

_WORDS = {
    "Err001": "excess rotation speed",
    "Err002": "overvoltage",
    "Err006": "run-up time exceeded",
    "Err008": "connection between drive unit and pump faulty",
    "Err010": "internal fault",
    "Err021": "the drive unit does not recognise the pump",
    "Err041": "excess motor current",
    "Err043": "internal configuration fault",
    "Err044": "excess temperature of the electronics",
    "Err045": "excess temperature of the motor",
    "Err046": "internal initialisation fault",
    "Err073": "overload of the axial bearing",
    "Err074": "overload of the radial bearing",
    "Err089": "rotor out of its target area",
    "Err091": "internal fault",
    "Err092": "unknown connection panel",
    "Err093": "the motor's temperature cannot be read",
    "Err094": "the electronics' temperature cannot be read",
    "Err098": "internal communication fault",
    "Err107": "collective fault of the power stage",
    "Err108": "the rotation speed cannot be measured",
    "Err109": "firmware not configured",
    "Err114": "the power stage's temperature cannot be read",
    "Err117": "excess temperature of the pump's bottom part",
    "Err118": "excess temperature of the power stage",
    "Err119": "excess temperature of the bearing",
    "Err777": "nominal rotation speed not confirmed",
    "Wrn007": "low voltage, or mains failure",
    "Wrn018": "conflict about who has control",
    "Wrn048": "high temperature of the motor",
    "Wrn076": "high temperature of the electronics",
    "Wrn089": "rotor out of its target area, stabilised",
    "Wrn097": "pump information invalid",
    "Wrn098": "pump information incomplete",
    "Wrn100": "rotation speed raised to its minimum",
    "Wrn115": "the pump's bottom temperature cannot be read",
    "Wrn116": "the bearing's temperature cannot be read",
    "Wrn117": "high temperature of the pump's bottom part",
    "Wrn118": "high temperature of the power stage",
    "Wrn119": "high temperature of the bearing",
    "Wrn168": "high deceleration",
}


def in_words(code: str) -> str:
    """`Err006` as `Err006 (run-up time exceeded)`; nothing for a code of noughts."""
    if code.startswith("000"):
        return ""
    return f"{code} ({_WORDS[code]})" if code in _WORDS else code
