"""How many people opened what was sent under a unit: nobody does so in a sandbox unless it is told."""

import msgspec


class Opened(msgspec.Struct, forbid_unknown_fields=True):
    """How many people opened a unit's messages, and how many tapped each address in them."""

    unit: str
    impressions: int = 0
    clicks: dict[str, int] = {}
