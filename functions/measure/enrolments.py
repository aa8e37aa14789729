"""Who was given which arm, and when: by exposures, and by what they were targeted with.

Each query makes the table `enrolled` (scope, arm, customer_id, at), with everybody once a scope, as whom they are now.
"""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb

from functions.domain import playbook as pb
from functions.measure.outcomes import OWNER

HELD_OUT, TREATED = "held_out", "treated"
EVERYBODY = "all:"
_PROMPTED: tuple[pb.Kind, ...] = ("notification", "promotion")

_EXPOSED = f"""
CREATE OR REPLACE TEMP TABLE enrolled AS
WITH known AS (SELECT x.experiment, x.variant, x.at, {OWNER.format("x")} AS customer_id FROM exposures x)
SELECT experiment AS scope, arg_min(variant, row(known.at, variant)) AS arm, customer_id, min(known.at) AS at
FROM known GROUP BY experiment, customer_id"""

_TARGETED = f"""
CREATE OR REPLACE TEMP TABLE enrolled AS
WITH known AS (
  SELECT c.scope, s.made_at AS at, {OWNER.format("s")} AS customer_id, s.held_out
  FROM sends s JOIN covered c ON c.kind = s.kind AND (
    c.scope IN ('scenario:' || s.scenario, 'campaign:' || s.campaign)
    OR c.scope = '{EVERYBODY}' AND NOT EXISTS (
      FROM covered own WHERE own.has_own AND own.scope IN ('scenario:' || s.scenario, 'campaign:' || s.campaign))))
SELECT scope, CASE WHEN arg_min(held_out, row(known.at, held_out)) THEN '{HELD_OUT}' ELSE '{TREATED}' END AS arm,
       customer_id, min(known.at) AS at
FROM known GROUP BY scope, customer_id"""
"""The account's arm is read on messages of what has no holdout of its own: there `held_out` says nothing else."""


class Covered(NamedTuple):
    """A scope with people held out: for which kinds of message, how many percent of all, and whether some by itself."""

    scope: str
    kinds: list[pb.Kind]
    percent: float
    has_own: bool


def enrol_exposed(connection: duckdb.DuckDBPyConnection) -> None:
    """By experiment: the arm of each person's first exposure. Two ids that turn out to be one person count once."""
    connection.execute(_EXPOSED)


def enrol_targeted(connection: duckdb.DuckDBPyConnection, scopes: list[Covered]) -> None:
    """By scope (`all:`, `scenario:<name>`, `campaign:<name>`): whether each was held out when first targeted, by a message
    of a kind that the holdout is for. Later messages say nothing: who gets them depends on what the first one did."""
    connection.execute("CREATE OR REPLACE TEMP TABLE covered (scope VARCHAR, kind VARCHAR, has_own BOOLEAN)")
    for scope, kinds, _, has_own in scopes:
        for kind in kinds:
            connection.execute("INSERT INTO covered VALUES (?, ?, ?)", [scope, kind, has_own])
    connection.execute(_TARGETED)


def covered(playbook: pb.Playbook) -> Iterator[Covered]:
    """All that has a holdout, its own or the account's. Kinds under one rule alone: where the account holds out kinds, a
    scope's own holdout is read on these too, so that nobody is held out of one message and not of the next."""
    account = playbook.holdout
    percent, kinds = (account.percent, account.kinds) if account else (0.0, list(_PROMPTED))
    if account and percent:
        yield Covered(EVERYBODY, kinds, percent, has_own=False)
    own = [("scenario", name, one.holdout_percent) for name, one in playbook.scenarios.items()]
    own += [("campaign", name, one.holdout_percent) for name, one in playbook.campaigns.items()]
    for scope_kind, name, more in own:
        both = 100 * (1 - (1 - percent / 100) * (1 - more / 100))
        if both:
            yield Covered(f"{scope_kind}:{name}", kinds, both, has_own=bool(more))
