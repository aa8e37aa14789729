"""The section `measure`: what of it is wrong or doubtful, and what it comes to with all that may be left out."""

from collections.abc import Iterator, Mapping

from functions.domain import playbook as pb
from functions.domain.events import BUILT_IN, PropertyKind
from functions.domain.line_events import LINE_EVENTS
from functions.playbook.draft import Draft, Part
from functions.playbook.faults import PlaybookFault
from functions.playbook.measure_models import WITHIN, MeasureForm
from functions.playbook.models import EventForm
from functions.playbook.references import hint_for
from functions.playbook.settings_models import SettingsForm
from functions.playbook.sources import Place

ORDERS = "orders"
"""Where playbook.yaml does not say what an order is: the event that segments read as `orders`, if there is one."""


def measured_by(settings: SettingsForm, events: Mapping[str, EventForm]) -> pb.Measure:
    """What `measure` says, completed from the dictionary."""
    form = settings.measure or _guessed(events)
    if form is None:
        return pb.Measure()
    order = events.get(form.order, EventForm(meaning="-"))
    goals = {
        name: pb.Goal(goal.event, goal.within, goal.when_number) for name, goal in form.goals.items()
    } or {form.order: pb.Goal(form.order, WITHIN)}
    profit, coupon = form.gross_profit, form.coupon_cost
    return pb.Measure(
        order=form.order,
        id=form.id or _id_of(form.order, events),
        value=form.value or next((key for key, kind in order.properties.items() if kind.sum), ""),
        category=form.category or _present("category", order),
        item=form.item or _present("item", order),
        margin_percent=profit.margin if profit else None,
        profit=(profit.property or "") if profit else "",
        coupon_event=coupon.event if coupon else "",
        coupon_value=coupon.value if coupon else "",
        dormant_seconds=form.dormant,
        goals=goals,
        view_event=form.viewed.event if form.viewed else "",
        view_item=form.viewed.item if form.viewed else "",
    )


def _guessed(events: Mapping[str, EventForm]) -> MeasureForm | None:
    return next((MeasureForm(order=name) for name, form in events.items() if form.read_as == ORDERS), None)


def _id_of(order: str, events: Mapping[str, EventForm]) -> str:
    """What corrections name an order by."""
    return next(
        (form.amends.by for form in events.values() if form.amends and form.amends.event == order), ""
    )


def _present(name: str, event: EventForm) -> str:
    return name if name in event.properties else ""


def measure_faults(draft: Draft) -> Iterator[PlaybookFault]:
    """Events and properties that `measure` names and the dictionary lacks, and goals of experiments that are none."""
    if draft.settings is None:
        return
    form = draft.settings.form.measure
    if form is not None and "events" in draft.names:
        yield from _section(draft.settings, form, draft)
    if draft.sound("events"):
        goals = measured_by(
            draft.settings.form, {name: part.form for name, part in draft.events.items()}
        ).goals
        for part in draft.experiments.values():
            if part.form.measures is not None and part.form.measures not in goals:
                hint = hint_for(part.form.measures, goals)
                yield part.fault(
                    ("measures",), f"measure of playbook.yaml has no goal {part.form.measures!r}; {hint}"
                )


def _section(settings: Part[SettingsForm], form: MeasureForm, draft: Draft) -> Iterator[PlaybookFault]:
    named: list[tuple[Place, str | None, PropertyKind]] = [
        (("id",), form.id, "string"),
        (("value",), form.value, "number"),
        (("category",), form.category, "string"),
        (("item",), form.item, "string"),
    ]
    if form.gross_profit:
        named.append((("gross_profit", "property"), form.gross_profit.property, "number"))
    yield from _event(settings, ("order",), form.order, named, draft)
    if form.coupon_cost:
        coupon = form.coupon_cost
        value: list[tuple[Place, str | None, PropertyKind]] = [
            (("coupon_cost", "value"), coupon.value, "number")
        ]
        yield from _event(settings, ("coupon_cost", "event"), coupon.event, value, draft)
    if form.viewed:
        seen: list[tuple[Place, str | None, PropertyKind]] = [
            (("viewed", "item"), form.viewed.item, "string")
        ]
        yield from _event(settings, ("viewed", "event"), form.viewed.event, seen, draft)
    for name, goal in form.goals.items():
        yield from _event(settings, ("goals", name, "event"), goal.event, [], draft)
        if goal.when_number is not None and goal.event != form.order:
            yield settings.fault(
                ("measure", "goals", name, "when_number"),
                f"only orders are numbered, and {goal.event} is none; take when_number out",
            )
    order = draft.events.get(form.order)
    if order and form.value is None and not any(kind.sum for kind in order.form.properties.values()):
        yield settings.fault(
            ("measure",),
            f"{form.order} has no property that is summed; write value: and the property that is its amount",
        )


def _event(
    settings: Part[SettingsForm],
    place: Place,
    name: str,
    properties: list[tuple[Place, str | None, PropertyKind]],
    draft: Draft,
) -> Iterator[PlaybookFault]:
    """An event that is not there, or is a correction; or properties of it that are not there or of another type."""
    if name in BUILT_IN or name in LINE_EVENTS:
        return
    if draft.lacks("events", name):
        hint = hint_for(name, draft.names["events"])
        yield settings.fault(("measure", *place), f"there is no event {name!r}; {hint}")
    event = draft.events.get(name)
    if event is None:
        return
    if event.form.amends:
        yield settings.fault(
            ("measure", *place), f"{name} is a correction; name {event.form.amends.event}, which it corrects"
        )
    for at, key, kind in properties:
        if key is None:
            continue
        found = event.form.properties.get(key)
        if found is None:
            hint = hint_for(key, event.form.properties)
            yield settings.fault(("measure", *at), f"{name} has no property {key!r}; {hint}")
        elif found.type != kind:
            yield settings.fault(
                ("measure", *at), f"{key} of {name} is a {found.type}; name one that is a {kind}"
            )


def measure_warnings(draft: Draft) -> Iterator[PlaybookFault]:
    """Profit that nobody can tell from revenue."""
    form = draft.settings.form.measure if draft.settings else None
    if draft.settings and form is not None and form.gross_profit is None:
        yield draft.settings.fault(
            ("measure",),
            "what is left of an amount is not known, so that all of it counts as profit; write gross_profit: {margin: 40%}",
        )
