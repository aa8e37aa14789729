"""Context facts as people write them: on the command line, and in a CSV of name, key, value, until."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from functions.domain.context import Fact
from functions.domain.events import Scalar
from functions.domain.instants import Instant, InstantError, parse_instant
from ops.errors import UserError

COLUMNS = ("name", "key", "value", "until")
KEY_CHARACTERS_MAX = 128
VALUE_CHARACTERS_MAX = 1_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,14})\.[0-9]+")
_WORDS = {"true": True, "false": False}

Said = tuple[str, str, Fact]
"""A fact's name, its key, and the fact."""


def said(name: str, key: str, value: str, since: Instant, until: Instant | None) -> Said:
    """One fact as it is typed; ValueError where it is none."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a fact; begin with a small letter and use a–z, 0–9 and _, at most 64"
        )
    if len(key) > KEY_CHARACTERS_MAX:
        raise ValueError(f"the key has {len(key)} characters, and {KEY_CHARACTERS_MAX} is the most")
    if not value or len(value) > VALUE_CHARACTERS_MAX:
        raise ValueError(f"the value must have 1 to {VALUE_CHARACTERS_MAX} characters")
    if until is not None and until <= since:
        raise ValueError("the fact is over already; give a later end, or none")
    return name, key, Fact(typed_value(value), since, until)


def typed_value(text: str) -> Scalar:
    """true, false, a number as people write it (not 007), else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def read_facts(path: Path, now: Instant) -> list[Said]:
    """All facts of a CSV, from `now` on; UserError with the first line that is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_facts(path, file, now))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8; save it as UTF-8.") from None
    except csv.Error as error:
        raise UserError(f"{path} is no CSV: {error}.") from None


def _facts(path: Path, file: TextIO, now: Instant) -> Iterator[Said]:
    reader = csv.DictReader(file)
    if set(reader.fieldnames or ()) != set(COLUMNS):
        raise UserError(f"{path}:1: the first line must name the columns {', '.join(COLUMNS)}, no others.")
    for row in reader:
        if None in row or None in row.values():
            raise UserError(f"{path}:{reader.line_num}: the line has more or fewer cells than columns.")
        try:
            until = parse_instant(row["until"]) if row["until"] else None
            yield said(row["name"], row["key"], row["value"], now, until)
        except (ValueError, InstantError) as error:
            raise UserError(f"{path}:{reader.line_num}: {error}") from None
