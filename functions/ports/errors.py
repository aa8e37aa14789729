"""The errors by which the world outside answers."""


class MusubiError(Exception):
    """The root of what the flows tell apart. Messages reach the log: they name no customer and no LINE user."""


class Rejected(MusubiError):
    """Definitely refused, and so it will be again: never retried."""


class AccountRefused(Rejected):
    """LINE refuses the whole account (401, 403): the message itself is not to blame."""


class OverQuota(AccountRefused):
    """LINE's messages of this month are used up (the monthly 429)."""


class Retryable(MusubiError):
    """Definitely not done; another try may do it."""


class Conflict(Retryable):
    """Somebody else changed the item first: load it again."""


class RateLimited(Retryable):
    """LINE's rate limit: try again a little later."""


class Unknown(MusubiError):
    """No answer, or none that tells: it may have happened. Never blindly repeated."""


class TokenInvalid(Rejected):
    """No token of ours for this purpose: changed, cut off, made for something else, or signed with a key that is gone."""


class TokenExpired(Rejected):
    """A token of ours that is too old."""
