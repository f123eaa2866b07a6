"""Heaters."""
