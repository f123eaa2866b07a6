"""Ports: the shapes by which rooms that are strangers work together.

Nothing here does anything; a driver, a twin, a planner or a journal is whatever fits.
"""
