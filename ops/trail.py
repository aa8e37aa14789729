"""The trail of what people did to a deployment: one object each, written once and never changed."""

import time
from typing import Any

import msgspec

from functions.domain.instants import format_instant
from ops.errors import UserError
from ops.stores import Stores


def leave_trail(stores: Stores, kind: str, did: str, by: str, **details: Any) -> None:
    """Keep under `audits/<kind>/` who does what and when; before it is done, so that nothing done is missing there."""
    at = stores.now()
    body = msgspec.json.encode({"did": did, "by": by, "at": format_instant(at), **details})
    # A virtual clock may stand still between two commands, so the name carries this machine's as well.
    if not stores.objects.write_new(f"audits/{kind}/{at:%Y/%m/%d}/{at:%H%M%S}-{time.time_ns()}.json", body):
        raise UserError("Another command was noted at the same instant; nothing was done, try again.")
