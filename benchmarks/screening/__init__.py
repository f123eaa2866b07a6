"""Screening by calculation: planners against brute force."""
