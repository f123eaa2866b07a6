"""Columns of text behind gzip: .csv.gz, .txt.gz and the like, one text in each file."""

from __future__ import annotations

import gzip
import io
import zlib

from drivers.formats.columns import parse as columns_of
from orchestrator.errors import InputError
from orchestrator.model.scan import Scan

LARGEST = 256 * 1024 * 1024
"""Bytes of text: a small file may unpack to more than a computer holds."""


def parse(data: bytes) -> Scan:
    """The columns of the text that is packed.

    Raises:
        InputError: it is no gzip, breaks off, is damaged or too large, or as `columns.parse`.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            text = file.read(LARGEST + 1)
    except EOFError as error:
        raise InputError("it breaks off: the rest of the packed text is missing") from error
    except (OSError, zlib.error) as error:
        raise InputError(f"it cannot be unpacked: {error}") from error
    if len(text) > LARGEST:
        raise InputError(f"it unpacks to more than {LARGEST >> 20} MB")
    return columns_of(text)
