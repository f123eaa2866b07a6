"""Stages that carry things to a position."""
