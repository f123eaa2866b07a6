"""The serial ports of this machine, as the system describes them; none is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from orchestrator.ports.resource import PortFound

BY_ID = Path("/dev/serial/by-id")


def serial_ports() -> list[PortFound]:
    """All that pyserial lists, by device; entry point `hagane.ports`."""
    from serial.tools import list_ports

    stable = _stable_names(BY_ID)
    return [
        PortFound(
            device=port.device,
            stable=stable.get(os.path.realpath(port.device), ""),
            description="" if port.description == "n/a" else port.description or "",
            vendor=port.vid or 0,
            product=port.pid or 0,
            serial=port.serial_number or "",
        )
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
    ]


def _stable_names(folder: Path) -> Mapping[str, str]:
    """Links that stay when cables are changed, by the device that they lead to."""
    links = sorted(folder.iterdir()) if folder.is_dir() else []
    return {os.path.realpath(link): str(link) for link in links}
