"""Crystals that conduct heat well, found by a cheap relative of the conductivity."""
