"""The explanation on a terminal."""

import re
from typing import Any

from rich.console import Console

from ops.explain.facts import fact_words

Card = dict[str, Any]

_SPLIT_SECONDS = re.compile(r"(?<=:\d\d)\.\d+Z")


def show(card: Card, console: Console) -> None:
    """Print it, plainly: who, what was sent and why, what is under way, what is over, and what was not."""
    _who(card, console)
    _part(console, "Messages", [_send(send) for send in card["sends"]])
    _part(console, "Under way", [*map(_pending, card["pending"]), *_journeys(card)])
    _part(console, "Gone through", _ended(card))
    _part(console, "Scenarios not under way", _absent(card["scenarios"], "scenario"))
    _part(console, "Campaign runs without them", _absent(card["campaigns"], "run"))
    _part(console, "Unexplained", card["unexplained"])


def _who(card: Card, console: Console) -> None:
    identity = card["identity"]
    user = identity["line_user_id"] or "no LINE user"
    state = "reachable" if identity["reachable"] else "not reachable"
    consent = ", ".join(f"{'' if given else 'not '}{name}" for name, given in identity["consent"].items())
    console.print(f"[bold]{card['customer_id']}[/bold]: {user}, {state}; consent: {consent or 'none known'}")
    if identity["open_cases"]:
        console.print(f"  open: {', '.join(identity['open_cases'])}")


def _part(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"\n[bold]{title}[/bold]")
    for line in lines:
        console.print(_SPLIT_SECONDS.sub("Z", line), markup=False, highlight=False, soft_wrap=True)


def _send(send: Card) -> str:
    ended = send["status"] + (f" ({send['reason']})" if send["reason"] else "")
    lines = [f"  {send['at']}  {send['message']}  {ended}", f"      {send['because']}"]
    lines += [f"      {reason}" for reason in send["why"]]
    lines += [f"      held since {at} until {until}: {reason}" for at, reason, until in send["holds"]]
    if said := send.get("resolved"):
        was = said["was"] + (f" ({said['reason']})" if said["reason"] else "")
        lines.append(f"      was {was}; {said['by']} said otherwise at {said['at']}: {said['why']}")
    if send["facts"]:
        lines.append(f"      the gate saw: {'; '.join(fact_words(send['facts']))}")
    return "\n".join(lines)


def _pending(pending: Card) -> str:
    until = f" until {pending['until']}" if pending["until"] else ""
    reason = f": {pending['reason']}" if pending["reason"] else ""
    return f"  {pending['message']}  {pending['where']}{until}{reason}\n      {pending['because']}"


def _journeys(card: Card) -> list[str]:
    return [
        f"  {scenario['scenario']}: {journey['because']}; next {journey['next_step'] or 'the end'}"
        + (f", at {journey['due']}" if journey["due"] else "")
        + (f", or when {journey['awaits']} comes" if journey["awaits"] else "")
        for scenario in card["scenarios"]
        for journey in scenario["journeys"]
        if journey["status"] == "active"
    ]


def _ended(card: Card) -> list[str]:
    return [
        f"  {scenario['scenario']}: {journey['because']}; ended ({journey['status']}) at {journey['ended_at']}"
        for scenario in card["scenarios"]
        for journey in scenario["journeys"]
        if journey["status"] != "active"
    ]


def _absent(cards: list[Card], name: str) -> list[str]:
    return [
        "\n".join([f"  {card[name]}", *(f"      {reason}" for reason in card["why_not"])])
        for card in cards
        if card["why_not"]
    ]
