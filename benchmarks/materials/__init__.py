"""Benchmarks of the materials: generated molecules."""
