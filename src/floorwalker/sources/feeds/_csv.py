"""Records of a CSV file with their places; one that is broken does not take its neighbours along.

A quote that is never closed swallows, for an ordinary reader, everything behind it. Here a record that does not parse
gives up its first line only, and reading goes on with the next.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

MOST_LINES = 400
"""Lines of one record, for texts with line ends in quotes."""

Line = tuple[bytes, int, bool]


@dataclass(frozen=True)
class CsvRecord:
    """One record.

    Parameters
    ----------
    cells : its cells, or the reason why it has none.
    text : its bytes.
    line : number of its first line, from 1.
    end : offset behind it.
    lines : how many lines it takes.
    """

    cells: list[str] | str
    text: bytes
    line: int
    end: int
    lines: int


class CsvReader:
    """Cuts lines into records.

    Parameters
    ----------
    delimiter : between cells.
    encoding : of the file.
    width : cells that a record must have; 0 takes any.
    """

    def __init__(self, delimiter: str, encoding: str, width: int) -> None:
        self._delimiter = delimiter
        self._encoding = encoding
        self._width = width

    def read(self, lines: Iterator[Line], first_line: int = 1) -> Iterator[CsvRecord]:
        """The records of these lines; empty lines are stepped over."""
        waiting: deque[Line] = deque()
        number = first_line
        while True:
            line = waiting.popleft() if waiting else next(lines, None)
            if line is None:
                return
            text, end, is_cut = line
            if is_cut:
                yield CsvRecord("the line is too long", text[:16_384], number, end, 1)
                number += 1
                continue
            if not text.strip():
                number += 1
                continue
            whole, taken = text, [line]
            quotes = text.count(b'"')
            while quotes % 2 and len(taken) < MOST_LINES:
                more = waiting.popleft() if waiting else next(lines, None)
                if more is None:
                    break
                taken.append(more)
                whole += b"\n" + more[0]
                quotes += more[0].count(b'"')
            cells = self._cells(whole) if quotes % 2 == 0 else "a quote is not closed"
            if isinstance(cells, str) and len(taken) > 1:
                waiting.extendleft(reversed(taken[1:]))
                taken, whole = taken[:1], text
            yield CsvRecord(cells, whole, number, taken[-1][1], len(taken))
            number += len(taken)

    def _cells(self, text: bytes) -> list[str] | str:
        try:
            decoded = text.decode(self._encoding)
        except UnicodeDecodeError as error:
            return f"byte {error.start} is not {self._encoding}"
        if "\0" in decoded:
            return "it holds a NUL character"
        try:
            rows = list(csv.reader([decoded.rstrip("\r")], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            return f"no CSV: {error}"
        cells = [cell for row in rows for cell in row]
        if self._width and len(cells) != self._width:
            return f"{len(cells)} cells where the header has {self._width}"
        return cells


def find_delimiter(header: str) -> str:
    """The mark that cuts a header into most cells; a comma where none does.

    >>> find_delimiter("a;b;c,d"), find_delimiter("a"), find_delimiter("a|b")
    (';', ',', '|')
    """
    return max(",;\t|", key=lambda mark: _count_cells(header, mark))


def _count_cells(header: str, delimiter: str) -> int:
    """How many cells a mark makes; none where the header cannot be cut by it."""
    try:
        return len(next(csv.reader([header], delimiter=delimiter), []))
    except csv.Error:
        return 0
