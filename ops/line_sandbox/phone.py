"""The phone in the sandbox's hand: who is logged in to LINE on it, and how that user answers LINE's questions."""

from typing import Annotated, Literal

import msgspec

from ops.line_sandbox.answers import JsonObject


class Phone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each page of LINE Login and of the account-link dialog is opened on this phone."""

    user_id: Annotated[str, msgspec.Meta(pattern="^(U[0-9a-f]{32})?$")] = ""
    """Who is logged in to LINE; empty: nobody, the pages ask, and a LIFF page stands in an external browser."""
    external_browser: bool = False
    """Whether LIFF pages open in a browser beside LINE, where nobody is logged in until `liff.login()`."""
    consent: Literal["ask", "allow"] = "ask"
    """`allow` needs a user: consent pages are answered at once, as LINE does where the user has agreed before."""
    add_friend: bool = False
    """Whether an `allow` takes up the offer to add the account."""
    cancel_next: bool = False
    """The next consent is refused at once; then no more."""
    fail_next_link: bool = False
    """The next account-link dialog finds that the user is not whom the token was issued for; then no more."""


def changed_phone(phone: Phone, changes: JsonObject) -> Phone:
    """The phone with the changes; msgspec.ValidationError where a name or a value is wrong."""
    return msgspec.convert({**msgspec.to_builtins(phone), **changes}, Phone)
