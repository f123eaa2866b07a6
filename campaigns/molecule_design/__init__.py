"""Molecules with a wanted orbital gap, made while the campaign runs."""
