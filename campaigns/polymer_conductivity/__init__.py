"""Polymers that conduct heat well, made while the campaign runs."""
