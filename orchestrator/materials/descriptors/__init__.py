"""Materials as named vectors with units."""
