"""Bearer keys: what the CRM and the shop's server show at the door."""

import hmac
from collections.abc import Sequence


def bears(authorization: str, keys: Sequence[str]) -> bool:
    """Whether an Authorization header bears one of these keys: compared in constant time, each of them."""
    scheme, _, key = authorization.partition(" ")
    given = key.strip().encode("utf-8", "replace")
    matches = [hmac.compare_digest(one.encode(), given) for one in keys if one]
    return any(matches) and scheme.lower() == "bearer"
