"""What grows from a metal target in oxygen: oxide where it is poisoned, or a metal that absorbs.

The film formulas of `ceramic` take the oxygen pressure and the rate of `berg`. Besides, the part of
the film that has not reacted conducts as a metal of 150 uohm cm with the third power of its
fraction, and absorbs light of 550 nm, 0.05 /nm; a substrate with a clear film transmits 0.85. So
metallic films conduct well and are not the goal: whoever asks for conductance on this target asks
for transmittance too. Every constant is of plausible order, not fitted to a machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simulators.lab.ceramic import Conditions, Film, resistivity_ohm_cm

METAL_OHM_CM, METAL_POWER = 150e-6, 3.0
ABSORBS_PER_NM, CLEAR = 0.05, 0.85
METALLIC_V, POISONED_V = 300.0, 318.0
"""What the supply shows; the ions of `berg` are P / 300 V in both."""
_CERAMIC_RATE = 6.0
"""nm/min at 100 W, to which the formulas of `ceramic` scale their power."""


@dataclass(frozen=True)
class MetalConditions(Conditions):
    """`metal_rate` in nm/min without argon in the way; `reacted` fraction of what grows."""

    metal_rate: float = 0.0
    reacted: float = 0.0

    def rate(self, erosion: float) -> float:
        """Growth rate in nm/min."""
        return self.metal_rate * math.exp(-self.argon_pa / 4.0) * (1.0 - erosion)

    def film(self, minutes: float, erosion: float) -> Film:
        """What grows, without noise."""
        thickness = self.rate(erosion) * minutes
        if thickness <= 0:
            return Film(0.0, math.inf)
        # an oxide at this rate is what the ceramic target gives at the power of this rate
        same_rate = replace(self, power_w=100.0 * self.metal_rate / _CERAMIC_RATE)
        oxide = self.reacted / resistivity_ohm_cm(same_rate, erosion)
        metal = (1.0 - self.reacted) ** METAL_POWER / METAL_OHM_CM
        return Film(thickness, 1.0 / (oxide + metal))

    def absorbance(self, minutes: float, erosion: float) -> float:
        """The exponent by which the film dims light of 550 nm."""
        return ABSORBS_PER_NM * (1.0 - self.reacted) * self.rate(erosion) * minutes
