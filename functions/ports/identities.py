"""Who is who."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from functions.domain.instants import Instant
from functions.domain.link_changes import Joining, LinkChange, MergeEntry
from functions.domain.linking_attempts import Attempt, Taken, Way
from functions.domain.links import Link
from functions.domain.phones import CustomerPhone, PhoneOwners
from functions.domain.undoing import Keepsake


class Identities(Protocol):
    """The map from LINE users to customers."""

    def link_of(self, line_user_id: str) -> Link | None:
        """The link of a LINE user, read consistently."""

    def links_of(self, customer_id: str) -> list[Link]:
        """The links that name this customer, as owner (now, or last) or as claimant; read consistently."""

    def keepsake_of(self, line_user_id: str) -> Keepsake | None:
        """What was kept for an undo of the LINE user's last tie; None where there was none, or it is too long ago."""

    def is_rewarded(self, line_user_id: str, customer_id: str) -> bool:
        """Whether one of both has had the reward for linking; an empty id has not."""

    def save_tied(self, change: LinkChange) -> None:
        """Link, audit and (where given) both customers, both gates, keepsake and reward in one transaction; Conflict where
        any was changed. What somebody has to decide is listed, or no longer."""

    def merge_of(self, customer_id: str) -> MergeEntry | None:
        """What this customer became last, and whether that was taken back."""

    def keepsake_of_merge(self, customer_id: str) -> Keepsake | None:
        """What was kept for an undo of that; None where there was none, or it is too long ago."""

    def save_joined(self, joining: Joining) -> None:
        """Both customers and gates, the audit, and (where given) keepsake and reward in one transaction; Conflict where any was
        changed."""

    def phone_of(self, customer_id: str) -> CustomerPhone | None:
        """What is known of a customer's phone number."""

    def phone_owners(self, phone_hash: str) -> PhoneOwners:
        """The customers who have a number; nobody where it was never heard of."""

    def save_phone(self, phone: CustomerPhone, owners: Sequence[PhoneOwners]) -> None:
        """A customer's number with every index row that changes by it in one transaction; Conflict where any did."""


SecretKind = Literal["code", "nonce"]


class LinkAttempts(Protocol):
    """Attempts to link, each taken up by one LINE user, and found by secrets that nobody keeps."""

    def begin(self, attempt: Attempt) -> None:
        """Keep an attempt of a new id."""

    def name(self, attempt: Attempt, kind: SecretKind, secret: str) -> bool:
        """Let the attempt be found by a secret that has none yet; whether it had none."""

    def named(self, kind: SecretKind, secret: str) -> str | None:
        """The id of the attempt that a secret stands for."""

    def find(self, attempt_id: str) -> Attempt | None:
        """The attempt, read consistently."""

    def take(self, attempt_id: str, user: str, at: Instant, way: Way) -> Taken | None:
        """Take it up for a LINE user. Whoever was first gets the same again; everybody else, and who is late, None."""

    def lapsed(self, attempt_id: str) -> Attempt | None:
        """The attempt, where nobody has taken it up."""

    def may_try(self, user: str, event_id: str, at: Instant) -> bool:
        """Count a look at a code; False where a LINE user has had five within the hour. An event counts once."""


class LoginTokens(msgspec.Struct, frozen=True):
    """What LINE Login gives for a code."""

    access_token: str
    id_token: str
