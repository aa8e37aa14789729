"""`python -m ops.cost.page`: the bills that docs/performance.md shows, as `musubi cost` tells them."""

import sys
from pathlib import Path
from typing import Final

from ops.bench import kept
from ops.bench.report import PAGE
from ops.check import sound_playbook
from ops.cost.bill import Cost, Month, cost_of
from ops.cost.command import PLAYBOOK

FRIENDS: Final = (10_000, 700_000, 10_000_000)
BEGIN: Final = "<!-- bills: begin, written by python -m ops.cost.page -->"
END: Final = "<!-- bills: end -->"


def bills() -> list[Cost]:
    """Of a shop's customers, with the ready playbook's price."""
    counted, price = kept.read(), sound_playbook(PLAYBOOK).price
    return [cost_of(Month.usual(friends), counted, price) for friends in FRIENDS]


def table(found: list[Cost]) -> str:
    """A column for each number of friends, a row for each service, the dearest of the last first."""
    head = " | ".join(f"{one.month.friends:,} friends" for one in found)
    rows = [f"| a month | {head} |", "|---|" + "---|" * len(found)]
    for service in (one.service for one in found[-1].lines):
        amounts = [next(one.usd for one in cost.lines if one.service == service) for cost in found]
        rows.append(f"| {service} | {' | '.join(f'${usd:,.2f}' for usd in amounts)} |")
    rows.append(f"| **AWS** | {' | '.join(f'**${cost.usd:,.2f}**' for cost in found)} |")
    rows.append(f"| LINE's own fee | {' | '.join(f'¥{cost.line_yen or 0:,.0f}' for cost in found)} |")
    rows.append(f"| what is most of AWS's part | {' | '.join(cost.dominant.service for cost in found)} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """The page with its table made anew."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError("the page has no place for bills")
    return f"{before}{BEGIN}\n{table(bills())}\n{END}{after}"


def main(path: Path = PAGE) -> int:
    """Write it."""
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
