"""Keeps cells from being run as formulas when a person opens a CSV file in a spreadsheet."""

import re

_FORMULA = re.compile(r"(?!\+[0-9]+\Z)(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def harmless(cell: str) -> str:
    """The cell, with a leading apostrophe if a spreadsheet would run it as a formula.

    Which cells those are comes from OWASP's page "CSV Injection": they start, perhaps after white space, with
    ``=``, ``+``, ``-``, ``@`` or the full-width form of one. A plain ``+<digits>`` stays as it is: nothing in
    it can run, and programs that look a number up must find it as it was sent.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell
