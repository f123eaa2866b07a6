"""What every driver must do, as plain functions that a test calls with a device behind a wire.

A lab that writes a driver runs the same ones on a fake of its device: see
`drivers.conformance.promises`.
"""
