"""A power meter behind a sample."""

from __future__ import annotations

import asyncio

import pytest
from driver_fakes import FakePowerMeter, bench

from drivers.optics.thorlabs_pm100 import ThorlabsPowerMeter
from orchestrator.errors import DeviceRefused, LimitExceeded, NoReading


def meter(fake: FakePowerMeter, wavelength: float = 550.0) -> ThorlabsPowerMeter:
    return ThorlabsPowerMeter(
        bench("light", m=fake), "memory:m", reference=2e-3, wavelength=wavelength
    )


def test_transmittance_is_a_part_of_the_reference_at_the_wavelength_of_the_light() -> None:
    fake = FakePowerMeter()

    async def main() -> None:
        light = meter(fake)
        await light.open()
        found = await light.transmittance(2)
        assert (found.mean, found.sd, found.readings) == (0.25, 0.0, [0.25, 0.25])
        assert fake.wavelength == 550.0

    asyncio.run(main())


def test_a_sensor_over_its_range_gives_no_reading_and_none_at_all_is_not_fit() -> None:
    fake = FakePowerMeter()

    async def main() -> None:
        light = meter(fake)
        await light.open()
        fake.power = "9.900000E+37"
        with pytest.raises(NoReading, match="over its range"):
            await light.transmittance()
        fake.sensor = "no sensor"
        assert not (await light.health()).is_fit

    asyncio.run(main())


def test_a_meter_that_somebody_set_to_dbm_is_read_in_watts() -> None:
    fake = FakePowerMeter()

    async def main() -> None:
        light = meter(fake)
        await light.open()
        assert fake.unit == "DBM"
        assert (await light.transmittance(1)).mean == 0.25
        fake.unit, fake.units = "DBM", ("DBM",)
        with pytest.raises(DeviceRefused, match="reads in 'DBM'"):
            await light.transmittance(1)

    asyncio.run(main())


def test_a_wavelength_that_the_sensor_does_not_know_is_refused() -> None:
    async def main() -> None:
        light = meter(FakePowerMeter(), 1500.0)
        await light.open()
        with pytest.raises(DeviceRefused, match="-222"):
            await light.transmittance()

    asyncio.run(main())
    with pytest.raises(LimitExceeded):
        meter(FakePowerMeter(), 10.0)


def test_an_old_entry_of_the_error_queue_does_not_refuse_a_wavelength_that_was_taken() -> None:
    fake = FakePowerMeter()
    fake.error = b'-113,"Undefined header"\n'

    async def main() -> None:
        light = meter(fake)
        await light.open()
        assert (await light.transmittance(1)).mean == 0.25

    asyncio.run(main())
