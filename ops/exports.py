"""Rows for other programs, written as they are read."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click


def write_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON list on standard output, a line a row."""
    before = "["
    for row in rows:
        click.echo(before + json.dumps(row, ensure_ascii=False), nl=False)
        before = ",\n"
    click.echo("[]" if before == "[" else "]")


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """CSV on standard output, with the names of its columns first."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
