"""Bridges: instruments that a file declares, over a protocol or another layer's client."""
