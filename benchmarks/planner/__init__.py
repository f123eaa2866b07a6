"""Planners side by side on shared problems: see README.md in this folder."""
