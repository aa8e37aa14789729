"""The section `measure` of playbook.yaml: what an order is, what it brings, and which goals messages are measured by."""

from typing import Any, Self

from pydantic import Field, model_validator

from functions.playbook.models import DAY_SECONDS, Form
from functions.playbook.quantities import Duration, Name, Share

WITHIN = 7 * DAY_SECONDS
DORMANT = 180 * DAY_SECONDS
WITHIN_DAYS_MAX = 90


class ProfitForm(Form):
    """`{margin: 40%}` of the amount, or `{property: gross_profit}` of the event."""

    margin: Share | None = None
    property: Name | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.margin is None) == (self.property is None):
            raise ValueError("write margin: 40%, or property: gross_profit; one of the two")
        return self


class CouponForm(Form):
    """`{event: coupon_used, value: amount}`: what a coupon took off."""

    event: Name
    value: Name


class ViewedForm(Form):
    """`{event: product_view, item: viewed_item}`: what people looked at, for recommendations."""

    event: Name
    item: Name


class GoalForm(Form):
    """`{event, within, when_number}`: what a message is sent for, and how long after it counts as its doing."""

    event: Name
    within: Duration = WITHIN
    when_number: int | None = Field(default=None, ge=1, le=1000)

    @model_validator(mode="after")
    def _not_too_long(self) -> Self:
        if self.within > WITHIN_DAYS_MAX * DAY_SECONDS:
            raise ValueError(
                f"what somebody does so long after a message says little of it; write {WITHIN_DAYS_MAX}d or less"
            )
        return self


class MeasureForm(Form):
    """`{order, id, value, category, item, gross_profit, coupon_cost, viewed, dormant, goals}`; all but `order` has a default."""

    order: Name
    id: Name | None = None
    value: Name | None = None
    category: Name | None = None
    item: Name | None = None
    gross_profit: ProfitForm | None = None
    coupon_cost: CouponForm | None = None
    viewed: ViewedForm | None = None
    dormant: Duration = DORMANT
    goals: dict[Name, GoalForm] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"order": value} if isinstance(value, str) else value
