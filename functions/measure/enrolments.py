"""Who was given which arm, and when: by exposures, and by what they were targeted with.

Each query makes the table `enrolled` (scope, arm, customer_id, at), with everybody once a scope, as whom they are now.
"""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb

from functions.domain import playbook as pb
from functions.domain.experiments import BUCKETS
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
  SELECT c.scope, s.made_at AS at, {OWNER.format("s")} AS customer_id,
         CASE WHEN c.scope = '{EVERYBODY}'
              THEN CAST('0x' || substr(sha256(concat('holdout:', chr(31), coalesce(nullif(s.unit, ''), s.customer_id))), 1, 16)
                        AS UBIGINT) % {BUCKETS} * 100 < c.percent * {BUCKETS}
              ELSE s.held_out END AS held_out
  FROM sends s JOIN covered c ON c.kind = s.kind
   AND c.scope IN ('{EVERYBODY}', 'scenario:' || s.scenario, 'campaign:' || s.campaign))
SELECT scope, CASE WHEN arg_min(held_out, row(known.at, held_out)) THEN '{HELD_OUT}' ELSE '{TREATED}' END AS arm,
       customer_id, min(known.at) AS at
FROM known GROUP BY scope, customer_id"""


class Covered(NamedTuple):
    """A scope with people held out: for which kinds of message, and how many percent of all."""

    scope: str
    kinds: list[pb.Kind]
    percent: float


def enrol_exposed(connection: duckdb.DuckDBPyConnection) -> None:
    """By experiment: the arm of each person's first exposure. Two ids that turn out to be one person count once."""
    connection.execute(_EXPOSED)


def enrol_targeted(connection: duckdb.DuckDBPyConnection, scopes: list[Covered]) -> None:
    """By scope (`all:`, `scenario:<name>`, `campaign:<name>`): whether each was held out when first targeted, by a message
    of a kind that the holdout is for. Later messages say nothing: who gets them depends on what the first one did."""
    connection.execute("CREATE OR REPLACE TEMP TABLE covered (scope VARCHAR, kind VARCHAR, percent DOUBLE)")
    for scope, kinds, percent in scopes:
        for kind in kinds:
            connection.execute("INSERT INTO covered VALUES (?, ?, ?)", [scope, kind, percent])
    connection.execute(_TARGETED)


def covered(playbook: pb.Playbook) -> Iterator[Covered]:
    """All that has a holdout, its own or the account's. Kinds under one rule alone: where the account holds out kinds, a
    scope's own holdout is read on these too, so that nobody is held out of one message and not of the next."""
    account = playbook.holdout
    percent, kinds = (account.percent, account.kinds) if account else (0.0, list(_PROMPTED))
    if account and percent:
        yield Covered(EVERYBODY, kinds, percent)
    own = [("scenario", name, one.holdout_percent) for name, one in playbook.scenarios.items()]
    own += [("campaign", name, one.holdout_percent) for name, one in playbook.campaigns.items()]
    for scope_kind, name, more in own:
        both = 100 * (1 - (1 - percent / 100) * (1 - more / 100))
        if both:
            yield Covered(f"{scope_kind}:{name}", kinds, both)
