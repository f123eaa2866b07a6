"""A world of twins: the wet bench with a spectrometer whose probe is in the vessel."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.ports.clock import Clock
from simulators.twins.spectrometer import Spectrometer
from simulators.twins.wet_lab import WetLab
from simulators.twins.wire import FramedWire


class DyeLab(WetLab):
    """The lab of `campaigns/dye_mixing/twins.yaml`: the ports of `WetLab`, and `spectra`, the
    folder of the spectrometer's program."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        super().__init__(seed=seed, clock=clock)
        self.spectrometer = Spectrometer(seed, clock, lambda: self.bench.vessel)
        self._spectra = self.spectrometer.wire()

    @property
    def wires(self) -> Mapping[str, FramedWire]:
        """One wire per port."""
        return {**super().wires, "spectra": self._spectra}
