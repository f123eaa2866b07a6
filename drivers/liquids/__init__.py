"""Liquids: pumps and what doses with them."""
