"""Wires: serial ports, TCP, and in-memory peers, one actor per port.

The only door to pyserial. `open_transport` gives a resource its hold on a port; several resources
on one bus share the port, and one dialogue at a time is played on it from first to last byte.
"""

from drivers.transports.transport import Transport, named, open_transport
from drivers.transports.wires import Absent, Lost, Settings, Silent

__all__ = ["Absent", "Lost", "Settings", "Silent", "Transport", "named", "open_transport"]
