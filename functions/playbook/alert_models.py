"""The section `alerts` of playbook.yaml: from where on somebody is told."""

from pydantic import Field

from functions.domain import playbook as pb
from functions.playbook.models import DAY_SECONDS, Form
from functions.playbook.quantities import Duration, Name, Share

DEFAULT = pb.Alerts()


class CouponAlertForm(Form):
    """`{issued: coupon_issued, used: coupon_used, id: coupon_id, after: 14d, above: 95%}`: coupons that lie unused."""

    issued: Name = DEFAULT.coupon_issued
    used: Name = DEFAULT.coupon_used
    id: Name = DEFAULT.coupon_id
    after: Duration = DEFAULT.coupon_seconds
    above: Share = DEFAULT.coupon_unused_percent


class AlertsForm(Form):
    """`{block_rate, failures, silent, coupons, steps_without_click, messages_min}`: limits beside the usual range."""

    on: bool = True
    block_rate: Share = DEFAULT.block_rate_percent
    failures: Share = DEFAULT.failures_percent
    silent: Duration = DEFAULT.silent_seconds
    coupons: CouponAlertForm = CouponAlertForm()
    steps_without_click: int = Field(default=DEFAULT.steps_unclicked, ge=2, le=20)
    messages_min: int = Field(default=DEFAULT.messages_min, ge=20)


def alerts_of(form: AlertsForm) -> pb.Alerts:
    """The section as it is compiled."""
    coupons = form.coupons
    return pb.Alerts(
        on=form.on,
        block_rate_percent=form.block_rate,
        failures_percent=form.failures,
        silent_seconds=max(form.silent, DAY_SECONDS),
        coupon_issued=coupons.issued,
        coupon_used=coupons.used,
        coupon_id=coupons.id,
        coupon_seconds=max(coupons.after, DAY_SECONDS),
        coupon_unused_percent=coupons.above,
        steps_unclicked=form.steps_without_click,
        messages_min=form.messages_min,
    )
