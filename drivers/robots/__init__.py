"""Robots that move samples."""
