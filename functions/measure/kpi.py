"""What a KPI is."""

import re
from typing import Literal

import msgspec

Unit = Literal["yen", "ratio", "count", "days"]
Group = Literal["operational", "business"]

SENDING = frozenset({"all", "scenario", "campaign", "run", "step", "variant", "kind", "segment"})
"""What messages are told apart by."""
PEOPLE = frozenset({"all", "segment", "cohort"})
"""What customers are told apart by."""
ACCOUNT = frozenset({"all"})

_READ = re.compile(r"\b(?:FROM|JOIN) ([a-z_]+)\b")
_TABLES = frozenset({"daily", "contacts", "customers", "owners", "members", "friends", "bills"})


class Kpi(msgspec.Struct, frozen=True):
    """One definition. `sql` gives rows (scope, numerator, denominator); where the KPI does not divide, the numerator is it.

    `meaning` is for marketers, in Japanese; `meaning_en` in English. `scopes`: the kinds of scope for which it makes sense.
    """

    id: str
    name: str
    name_en: str
    unit: Unit
    group: Group
    sql: str
    meaning: str
    meaning_en: str
    scopes: frozenset[str] = ACCOUNT
    divides: bool = False

    @property
    def reads(self) -> frozenset[str]:
        """The derived tables that the SQL reads."""
        return frozenset(_READ.findall(self.sql)) & _TABLES
