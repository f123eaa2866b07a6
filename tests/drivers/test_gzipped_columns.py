"""Columns of text behind gzip."""

from __future__ import annotations

import gzip

import pytest

from drivers.formats import columns, gzipped
from orchestrator.errors import InputError
from orchestrator.runtime.scans import read_scan

TEXT = b"Wavelength [nm];Absorbance\n400;0.5\n410;0.6\n420;0.7\n"


def test_what_is_packed_reads_as_it_does_unpacked() -> None:
    assert gzipped.parse(gzip.compress(TEXT)) == columns.parse(TEXT)


def test_the_ending_of_the_file_leads_to_it() -> None:
    scan = read_scan("sample-7.csv.gz", gzip.compress(TEXT))
    assert scan.columns[0].values == (400.0, 410.0, 420.0)
    assert scan.columns[0].unit == "nm"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(TEXT)[:-10], "it breaks off"),
        (TEXT, "it cannot be unpacked"),
        (gzip.compress(TEXT)[:-8] + b"12345678", "it cannot be unpacked"),
        (b"", "it has no rows of numbers"),
        (gzip.compress(b"400;0.5\n410\n420;0.7\n"), "line 2"),
    ],
    ids=["cut", "not packed", "checksum", "empty", "a short row"],  # packed bytes hold the time
)
def test_what_is_damaged_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        gzipped.parse(data)


def test_what_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzipped, "LARGEST", 2**20)
    with pytest.raises(InputError, match="more than 1 MB"):
        gzipped.parse(gzip.compress(b"1;2\n" * 2**19))
