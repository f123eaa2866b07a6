"""Calculations on atoms, each run in a child process through `ports.compute`."""
