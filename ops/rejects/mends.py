"""A mend as a person writes it: a small YAML, or options."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from functions.domain.rejects import Mend
from ops.errors import UserError


def mend_of(file: Path) -> Mend:
    """The mend of a YAML file. UserError where it is none."""
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), Mend)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file} cannot be read: {str(error).splitlines()[0]}.") from None
    except msgspec.ValidationError as error:
        raise UserError(f"{file}: {error}; the keys are {', '.join(Mend.__struct_fields__)}.") from None


def mend_from(given: Mapping[str, Any]) -> Mend:
    """The mend of the options `rename`, `rename_property`, `values`, `convert`, `sets` and `drop`."""
    plain = {
        "rename": given["rename"],
        "rename_property": dict(_pair("--rename-property", one) for one in given["rename_property"]),
        "values": _values(given["values"]),
        "convert": dict(_pair("--convert", one) for one in given["convert"]),
        "set": {name: _read(value) for name, value in (_pair("--set", one) for one in given["sets"])},
        "drop": list(given["drop"]),
    }
    try:
        return msgspec.convert(plain, Mend)
    except msgspec.ValidationError:
        raise UserError("--convert: a property becomes a string, a number or a boolean.") from None


def _values(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    mapped: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, _, pair = text.partition(":")
        old, new = _pair("--map", pair)
        mapped.setdefault(name, {})[old] = _read(new)
    return mapped


def _read(text: str) -> Any:
    """As YAML reads it: 4800 is a number, "4800" a text."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _pair(option: str, text: str) -> tuple[str, str]:
    left, found, right = text.partition("=")
    if not (left and found):
        raise UserError(f"{option} {text}: write it like name=value.")
    return left, right
