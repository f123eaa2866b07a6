"""Parsers of instruments' files: what they take out, and what they say of files that are wrong."""

from __future__ import annotations

import importlib.metadata
import random
from collections.abc import Callable

import format_samples as samples
import pytest
from format_samples import COUNTS, TWO_THETA, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.formats import brml, columns, maiml, nexus, rasx, xrdml
from orchestrator.errors import InputError
from orchestrator.model.scan import Scan

WHOLE: dict[str, tuple[Callable[[bytes], Scan], bytes, str, str]] = {
    "xrdml": (xrdml.parse, samples.xrdml(), "2Theta", "intensity"),
    "rasx": (rasx.parse, samples.rasx(), "TwoThetaTheta", "intensity"),
    "brml": (brml.parse, samples.brml(), "TwoTheta", "intensity"),
    "maiml": (maiml.parse, samples.maiml(), "two_theta", "intensity"),
    "nexus": (nexus.parse, samples.nexus(), "two_theta", "counts"),
}
"""Parser, a file, and the names of its two columns."""


@pytest.mark.parametrize("kind", WHOLE)
def test_angles_and_counts_are_those_of_the_file_with_their_units(kind: str) -> None:
    parse, data, x, y = WHOLE[kind]
    scan = parse(data)
    assert scan.column(x).values == pytest.approx(TWO_THETA)
    assert scan.column(y).values == pytest.approx(COUNTS)
    assert (scan.column(x).unit, scan.column(y).unit) == ("deg", "count")
    assert scan.facts


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_that_is_cut_off_anywhere_is_refused_in_a_sentence(kind: str) -> None:
    parse, data, _, _ = WHOLE[kind]
    for cut in (0, 1, 10, len(data) // 3, len(data) // 2, len(data) - 40):
        with pytest.raises(InputError) as caught:
            parse(data[:cut])
        assert "\n" not in str(caught.value)


CHEAP = [kind for kind in WHOLE if kind != "nexus"]


def test_a_damaged_file_that_ends_the_library_is_refused_too() -> None:
    refused = 0
    for seed in range(12):
        try:
            nexus.parse(_spoilt(samples.nexus(), seed))
        except InputError:
            refused += 1
    assert refused, "not one of twelve damaged files was found out"


@pytest.mark.parametrize("kind", [*CHEAP, "columns"])
@settings(deadline=None)
@given(seed=st.integers(0, 10**6))
def test_whatever_is_in_a_file_nothing_but_a_refusal_is_raised(kind: str, seed: int) -> None:
    parse, data = (columns.parse, _CSV) if kind == "columns" else WHOLE[kind][:2]
    try:
        scan = parse(_spoilt(data, seed))
    except InputError:
        return
    assert len({len(column.values) for column in scan.columns}) == 1


def _spoilt(data: bytes, seed: int) -> bytes:
    """With one to eight bytes that are others, of the first 4,000: headings and structure."""
    spoilt, chance = bytearray(data), random.Random(seed)
    for _ in range(chance.randint(1, 8)):
        spoilt[chance.randrange(min(len(spoilt), 4000))] = chance.randrange(256)
    return bytes(spoilt)


_CSV = b"Wavelength [nm],Absorbance\n400,0.1\n410,0.2\n420,0.3\n"


def _refusal(parse: Callable[[bytes], Scan], data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse(data)
    return str(caught.value)


def test_counts_behind_an_attenuator_are_corrected_and_intensities_are_not() -> None:
    counts = [100.0, 200.0, 300.0]
    raw = xrdml.parse(samples.xrdml(counts, tag="counts", factors="1 10 1"))
    done = xrdml.parse(samples.xrdml(counts, factors="1 10 1"))
    assert raw.column("intensity").values == (100.0, 2000.0, 300.0)
    assert done.column("intensity").values == (100.0, 200.0, 300.0)


def test_positions_may_be_listed_and_one_may_hold_for_all_points() -> None:
    scan = xrdml.parse(samples.xrdml(positions="list"))
    assert scan.column("2Theta").values == pytest.approx(TWO_THETA)
    assert scan.column("Omega").values == (12.0,) * len(COUNTS)


@pytest.mark.parametrize(
    ("parse", "data", "why"),
    [
        (xrdml.parse, samples.xrdml(status="Aborted"), "its scan is 'Aborted'"),
        (xrdml.parse, samples.xrdml(n_scans=2), "2 scans"),
        (xrdml.parse, b"<other/>", "begins with <other>"),
        (rasx.parse, samples.rasx(factor="10.5"), "attenuator"),
        (rasx.parse, samples.rasx(n_scans=3), "3 profiles"),
        (rasx.parse, zipped({"readme.txt": "x"}), "0 profiles"),
        (brml.parse, samples.brml(last=30), "30 points of 41"),
        (brml.parse, samples.brml(n_scans=2), "2 scans"),
        (brml.parse, samples.brml(absorber="9.7"), "absorber"),
        (brml.parse, samples.brml(extra_field=False, absorber="9.7"), "absorber"),
        (
            xrdml.parse,
            samples.xrdml().replace(b"<startPosition>24.0<", b"<startPosition>24,0<"),
            "the axis 2Theta has no positions",
        ),
        (maiml.parse, samples.maiml(scale=' scaleFactor="1,5"'), "has a scale factor"),
        (maiml.parse, samples.maiml(scale=' scaleFactor="10"'), "scale factor"),
        (maiml.parse, samples.maiml(n_results=2), "2 results"),
        (maiml.parse, samples.maiml(values="1 2 3"), "3 values, 'two_theta' 41"),
        (nexus.parse, samples.nexus(n_axes=2), "2 axes"),
    ],
)
def test_what_cannot_be_one_curve_is_refused_with_its_reason(
    parse: Callable[[bytes], Scan], data: bytes, why: str
) -> None:
    assert why in _refusal(parse, data)


def test_fields_of_a_datum_are_found_by_what_the_file_says_of_them() -> None:
    for extra in (True, False):
        scan = brml.parse(samples.brml(extra_field=extra))
        assert scan.column("intensity").values == pytest.approx(COUNTS)
        assert scan.column("Theta").values[0] == 12.0


def test_the_older_way_to_name_a_plot_is_understood_too() -> None:
    scan = nexus.parse(samples.nexus(by_attributes=False))
    assert scan.column("counts").values == pytest.approx(COUNTS)
    assert scan.column("two_theta").unit == "deg"


def test_a_maiml_document_may_be_packed() -> None:
    packed = zipped({"films-1.maiml": samples.maiml().decode()})
    assert maiml.parse(packed) == maiml.parse(samples.maiml())


@pytest.mark.parametrize("parse", [xrdml.parse, maiml.parse])
def test_entities_are_refused_before_they_are_looked_at(parse: Callable[[bytes], Scan]) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><xrdMeasurements>&b;'
    assert "document type declaration" in _refusal(parse, bomb)
    assert "document type declaration" in _refusal(parse, bomb.decode().encode("utf-16"))


TEXTS = {
    "comma": "Wavelength [nm],Absorbance\n400,0.1\n410,0.25\n",
    "semicolon and decimal comma": "Wavelength [nm];Absorbance\n400,0;0,1\n410,0;0,25\n",
    "tab and decimal comma": "Wavelength (nm)\tAbsorbance (AU)\n400\t0,1\n410\t0,25\n",
    "blanks": "# Wavelength[nm]  Absorbance\n  400.0   1.0e-1\n  410.0   2.5E-1\n",
    "blanks and decimal comma": "Wavelength/nm Absorbance\n400 0,1\n410 0,25\n",
    "units below": "Wavelength;Absorbance\nnm;-\n400;0.1\n410;0.25\n",
    "a heading and a last line": (
        "Data from flow cell\nUser: anybody\nIntegration time = 100 ms\n\n"
        "Wavelength / nm;Absorbance\n400;0.1;\n\n410;0.25;\nend of data\n"
    ),
    "windows": "\ufeffWavelength [nm],Absorbance\r\n400,0.1\r\n410,0.25\r\n",
    "quoted": '"Wavelength [nm]","Absorbance"\n"400","0.1"\n"410","0.25"\n',
    "quoted with decimal comma": '"Wavelength [nm]","Absorbance"\n"400,0","0,1"\n"410,0","0,25"\n',
    "a line end too many": "Wavelength [nm];Absorbance\r\r\n400;0.1\r\r\n410;0.25\r\r\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_table_is_read_however_it_is_written(text: str) -> None:
    scan = columns.parse(text.encode())
    x, y = scan.columns
    assert (x.values, y.values) == ((400.0, 410.0), (0.1, 0.25))
    if text != TEXTS["blanks and decimal comma"]:
        assert (x.name, x.unit, y.name, y.unit) == ("Wavelength", "nm", "Absorbance", "")


def test_a_comma_within_quotation_marks_cuts_no_cell() -> None:
    scan = columns.parse(b'"Angle","Intensity, counts"\n20.0,5\n20.1,6\n')
    assert [c.name for c in scan.columns] == ["Angle", "Intensity, counts"]


def test_the_minus_of_printers_is_a_minus() -> None:
    text = "V (V);I (A)\n\N{MINUS SIGN}1,0;\N{MINUS SIGN}0,5\n0,0;0,0\n1,0;0,5\n"
    assert columns.parse(text.encode()).column("V").values == (-1.0, 0.0, 1.0)


def test_one_decimal_comma_shows_what_the_others_are() -> None:
    scan = columns.parse(b"a;b\n1,125;0,500\n1;0,250\n")
    assert scan.column("a").values == (1.125, 1.0)


def test_a_loop_in_one_piece_is_one_scan() -> None:
    scan = columns.parse(b"# forth\n-1 1\n0 2\n1 3\n0 2\n-1 1\n\n# end\n")
    assert scan.column("x").values == (-1.0, 0.0, 1.0, 0.0, -1.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('"a","b"\n"20.0","1,234"\n"20.1","2,345"\n', "no rows of numbers"),
        ("a\tb\n20\t1,234\n21\t998\n", "'1,234' may set thousands apart"),
        ("a\tb\n20.5\t1,234\n21.0\t998\n", "above its first row is no row of numbers"),
        ("Temperature\n20,1\n20,2\n", "'20,1' may be one number or two"),
        ("t,y\n1,nan\n2,4\n3,5\n", "above its first row is no row of numbers: '1,nan'"),
        ("t,y,z\n1,,3\n2,4,5\n", "above its first row is no row of numbers: '1,,3'"),
        ("x,y\n1,5,2,5\n2,5,3,5\n", "'1,5,2,5' may be 2 numbers or 4"),
        ("nm,A\n400,0,123\n401,0,124\n", "'400,0,123' may be 2 numbers or 3"),
        ("x, y\n1,5, 2,5\n2,5, 3,5\n", "'1,5, 2,5' may be 2 numbers or 4"),
        ("x,y\n1,5E3,2,5E3\n2,5E3,3,5E3\n", "'1,5E3,2,5E3' may be 2 numbers or 4"),
        ("x,y\n1,5,2,5\n2,5,3,5\n# end\n", "'1,5,2,5' may be 2 numbers or 4"),
        ("Nr.;T;Rem\n1;25,5;ok\n2;25,6;\n", "above its first row is no row of numbers: '1;25"),
        ("20 1\n21 2\n22 3\n\n20 5\n21 6\n", "a second scan begins at line 5"),
        ("#S 1\n20 1\n21 2\n#S 2\n21 5\n20 6\n", "a second scan begins at line 5"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(text: str, why: str) -> None:
    assert why in _refusal(columns.parse, text.encode())


@pytest.mark.parametrize(
    "text",
    ["by A, B\n1.5,2,3\n2,3,4\n", "25 K bath of A\n1 2\n2 3\n", "by A, B\n1, 2, 3\n2, 3, 4\n"],
)
def test_a_sentence_above_numbers_that_are_none_of_its_names_is_left_alone(text: str) -> None:
    assert [c.name for c in columns.parse(text.encode()).columns][:2] == ["x", "y"]


def test_facts_of_a_heading_are_kept_in_words() -> None:
    scan = columns.parse(TEXTS["a heading and a last line"].encode())
    assert scan.facts == {"User": "anybody", "Integration time": "100 ms"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings_are_found_out(encoding: str) -> None:
    scan = columns.parse("2Theta (°);Zähler (counts)\n24,0;10\n24,1;12\n".encode(encoding))
    assert [(c.name, c.unit) for c in scan.columns] == [("2Theta", "deg"), ("Zähler", "count")]
    assert scan.columns[0].values == (24.0, 24.1)


def test_columns_without_names_are_x_and_y() -> None:
    assert [c.name for c in columns.parse(b"1 2\n2 3\n").columns] == ["x", "y"]
    assert [c.name for c in columns.parse(b"1\n2\n").columns] == ["y"]
    assert [c.name for c in columns.parse(b"1 2 3\n2 3 4\n").columns] == ["x", "y", "c3"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 numbers where those before have 2"),
        ("a,b\n1,2\n3,x\n5,6\n", "line 3 is no row of numbers: '3,x'"),
        ("a,b\n1,2\n3,nan\n", "line 3 is no row of numbers"),
        ("a,a\n1,2\n", "two of its columns are named 'a'"),
        ("nothing here\n", "no rows of numbers"),
        ("", "no rows of numbers"),
        ("1,2\n\x003,4\n", "no text"),
    ],
)
def test_a_table_that_breaks_off_is_refused_at_its_line(text: str, why: str) -> None:
    assert why in _refusal(columns.parse, text.encode())


@given(
    rows=st.lists(
        st.tuples(st.floats(-1e6, 1e6).map(lambda v: round(v, 4)), st.floats(-10, 10)),
        min_size=2,
        max_size=30,
    ),
    separator=st.sampled_from(["\t", ";", " "]),
    mark=st.sampled_from([".", ","]),
)
def test_every_number_comes_back_whatever_separates_them(
    rows: list[tuple[float, float]], separator: str, mark: str
) -> None:
    lines = [separator.join(repr(v).replace(".", mark) for v in row) for row in rows]
    text = f"a{separator}b\n" + "\n".join(lines) + "\n"
    x, y = columns.parse(text.encode()).columns
    assert list(zip(x.values, y.values, strict=True)) == [(float(a), float(b)) for a, b in rows]


def test_every_parser_is_installed_under_the_ending_of_its_files() -> None:
    found = {e.name: e.value for e in importlib.metadata.entry_points(group="hagane.parsers")}
    for ending in ("xrdml", "rasx", "brml", "nxs", "maiml", "csv", "txt", "xy"):
        assert ending in found
    assert all(callable(e.load()) for e in importlib.metadata.entry_points(group="hagane.parsers"))


ROWS = [f"{20 + 0.05 * k:.3f}\t{1e-4 / (1 + k):.4E}" for k in range(30)]


@pytest.mark.parametrize("form", [".", ",", "two"])
def test_a_text_that_is_cut_off_within_its_last_number_is_refused(form: str) -> None:
    rows = [row.partition("\t")[0] + "\t" + f"{k}.50" for k, row in enumerate(ROWS)]
    whole = "\r\n".join(ROWS if form == "two" else rows)
    whole = whole.replace(".", ",") if form == "," else whole
    n_rows = len(columns.parse(whole.encode()).columns[0].values)
    assert n_rows == len(columns.parse(f"{whole}\r\n".encode()).columns[0].values) == 30
    for cut in range(1, 12 if form == "two" else 3):
        with pytest.raises(InputError, match=r"breaks off|no row of numbers|has 1 numbers"):
            columns.parse(whole[:-cut].encode())


@pytest.mark.parametrize(
    "rows",
    [
        [f"{k}\t{10 + k % 90}" for k in range(40)] + ["40\t9"],
        [f"{k},{100 + k}" for k in range(40)] + ["40,9"],
        [f"{k}\t{0.5 + k / 8}" for k in range(40)] + ["40\t9"],
        [f"{k}\t{k}.25" for k in range(8)] + ["8\t8.5"],
    ],
    ids=["whole numbers", "whole numbers between commas", "decimals that vary", "few rows"],
)
def test_a_text_without_a_last_line_break_is_whole_where_nothing_says_otherwise(
    rows: list[str],
) -> None:
    scan = columns.parse("\n".join(rows).encode())
    assert len(scan.columns[0].values) == len(rows)


def test_fewer_rows_than_a_heading_announces_are_refused() -> None:
    heading = "Integration Time (sec): 0.1\nNumber of Pixels in Spectrum: 30\n>>>Begin<<<\n"
    whole = heading + "\n".join(ROWS)
    assert columns.parse(whole.encode()).facts["Number of Pixels in Spectrum"] == "30"
    with pytest.raises(InputError, match="says 'Number of Pixels in Spectrum: 30', and it has 29"):
        columns.parse(whole.rpartition("\n")[0].encode())
