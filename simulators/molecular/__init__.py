"""Calculations on molecules and polymers that are given as SMILES, each in a child process."""
