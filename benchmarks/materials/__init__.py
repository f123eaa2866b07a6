"""Figures of the materials' side: transfer from other data, generators, descriptors."""
