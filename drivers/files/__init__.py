"""Instruments that leave files in a folder."""
