"""The reward for linking, as the customer knows of it: a scenario may send the coupon once it is there."""

import msgspec

from functions.domain.customers import Customer
from functions.domain.instants import format_instant
from functions.domain.link_changes import Reward
from functions.domain.profiles import JOURNEY, Register, later

ATTRIBUTE = "link_rewarded_at"


def rewarded(customer: Customer, reward: Reward) -> Customer:
    """The customer with the attribute that says when. No event says so: like what journeys set, it outlives every fold."""
    said = Register(format_instant(reward.at), reward.at, f"{JOURNEY}reward:{reward.event_id}")
    attributes = customer.profile.attributes
    attributes = {**attributes, ATTRIBUTE: later(attributes.get(ATTRIBUTE), said)}
    return msgspec.structs.replace(
        customer, profile=msgspec.structs.replace(customer.profile, attributes=attributes)
    )
