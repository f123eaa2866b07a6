"""Figures, measured side by side with those of peers: see README.md in this folder."""
