"""Rich menus: which one a customer is wished to see, and the order that brings it about."""

import msgspec

from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.journeys import fingerprint
from functions.domain.profiles import JOURNEY, Register, later
from functions.domain.sends import MenuOrder
from functions.domain.walk import Showing


def wishing(customer: Customer, showing: Showing, journey_id: str) -> Customer:
    """The customer with what a menu step wishes it to see; of two wishes the later one stands."""
    wish = Register(showing.menu, showing.due, f"{JOURNEY}{journey_id}:{showing.number:04}")
    if later(customer.menu, wish) is not wish:
        return customer
    return with_order(msgspec.structs.replace(customer, menu=wish))


def with_order(customer: Customer) -> Customer:
    """The customer with an order for its latest wish; none where nothing is wished, or nobody is there to see it."""
    wish, user = customer.menu, customer.line_user_id
    if wish is None or not user:
        return msgspec.structs.replace(customer, menu_order=None)
    order = MenuOrder(
        send_id=_name_of(wish, user),
        customer_id=customer.customer_id,
        line_user_id=user,
        menu=str(wish.value),
    )
    return msgspec.structs.replace(customer, menu_order=order)


def is_wanted(order: MenuOrder, customer: Customer, gate: Gate) -> bool:
    """Whether the order is still to be carried out: it is for the latest wish, and the user can be reached."""
    if customer.menu is None or order.send_id != _name_of(customer.menu, order.line_user_id):
        return False
    return gate.reaches(order.line_user_id)


def _name_of(wish: Register, line_user_id: str) -> str:
    """The same wish to another LINE user is another order."""
    return "menu:" + fingerprint(f"{wish.event_id}\x1f{line_user_id}")
