"""New materials."""
