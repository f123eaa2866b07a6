"""Electrical measurements."""
