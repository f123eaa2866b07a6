"""Instruments that make thin films: flow, pressure, plasma, thickness, valves, and the tool."""
