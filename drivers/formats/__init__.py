"""Parsers of the files that instruments write (entry point `hagane.parsers`, by their ending).

None of them was tried on a file of a real instrument: they are written from public descriptions of
the formats and held against readers and writers of other people (tests/conformance).
"""
