"""Screening by calculation: planners against brute force, methods against reference values."""
