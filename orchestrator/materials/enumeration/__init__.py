"""Pools of structures that are counted out: no database, no download."""
