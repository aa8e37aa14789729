"""Addresses that a message has for its reader alone: variables of a template that no profile holds.

They are made when the message is sent, and are the same whenever that is: what every attempt says must be the same bytes.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

PREFERENCES_URL = "preferences_url"
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {PREFERENCES_URL: f"https://api.example.com/link/preferences?p={'x' * 200}"}
)
"""Name → what it looks like, at least as long as any: for limits and previews."""


def examples(names: Iterable[str]) -> dict[str, str]:
    """What stands for these where a message is shown or measured, and goes to nobody."""
    return {name: EXAMPLES[name] for name in names}
