"""Looked up before anything is put back: who the facts are about, and who is not to come back.

Facts have a pseudonym where a friend is known by LINE alone. It is worked out anew of every friend of the backup; of a friend
first heard of since, nothing is left but the pseudonym.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from functions.aws.erasing import PREFIX as ERASED_ROWS
from functions.aws.items import decode_customer
from functions.aws.stored import decoded, format_of
from functions.domain.customers import Customer
from functions.domain.erasure import Person, Suppression, hashed, identity_of
from functions.domain.events import Event
from functions.domain.facts import PersonFact, person
from functions.domain.instants import Instant, parse_instant
from functions.domain.journeys import Journey
from functions.domain.line_events import ANONYMOUS, anonymous_id, is_anonymous
from functions.domain.retelling import event_of_fact, line_user_of
from ops.backups.lake import Happened, Since
from ops.backups.sources import Source
from ops.erasing.keeping import Kept, key_of
from ops.stores import Stores

_suppression = msgspec.json.Decoder(Suppression)


class Then(msgspec.Struct, frozen=True):
    """A customer of the backup of whom facts tell: the LINE user it had, and its journeys."""

    user: str = ""
    journeys: list[Journey] = []


class Known(msgspec.Struct, frozen=True):
    """`friends`: pseudonym → anonymous id; `then`: by customer id; `gone`: friends who became a customer since, by it;
    `units`: by which other id experiments have known a customer since;
    `erased`: whoever of the backup was erased since; `suppressions`: what says so, by the hash of the id."""

    friends: dict[str, str]
    then: dict[str, Then]
    gone: dict[str, list[tuple[Instant, str]]]
    units: dict[str, str]
    erased: Person | None
    suppressions: dict[str, Suppression]

    def customer_of(self, told: str) -> str:
        """Whose a fact is; the pseudonym itself where nobody can tell any more."""
        return self.friends.get(told, told)

    def is_lost(self, told: str) -> bool:
        """Whether it is of a friend of whom nothing but a pseudonym is left."""
        return is_anonymous(told) and told not in self.friends

    def user_of(self, customer_id: str) -> str:
        """The LINE user of a customer at the backup, or the one that it was tied to since."""
        if is_anonymous(customer_id):
            return customer_id.removeprefix(ANONYMOUS)
        return self.then.get(customer_id, Then()).user or line_user_of(self.gone.get(customer_id, []))

    def event_of(self, fact: Happened) -> Event | None:
        """The event that a fact was made of, of whom and as far as it can be told again."""
        if self.is_lost(fact.customer_id):
            return None
        customer_id = self.customer_of(fact.customer_id)
        if getattr(fact, "name", "") == "line_linked":
            return event_of_fact(fact, customer_id, line_user_of(self.gone.get(customer_id, [])))
        return event_of_fact(fact, customer_id, self.user_of(customer_id))


def known_of(stores: Stores, source: Source, since: Since) -> Known:
    """Everything that has to be known first: one look at the keys of gates and identities, and at the customers."""
    erased = _Erased(stores)
    friends: dict[str, str] = {}
    for customer_id in _ids(source, erased):
        erased.meet(customer_id)
        if is_anonymous(customer_id):
            friends[person(customer_id)] = customer_id
    named = {friends.get(one, one) for one in since.named}
    then = {one.customer_id: _then(one) for one in _customers(source, named)} if named else {}
    gone, units = _gone(since.people, friends), _units(since.people, friends)
    return Known(friends, then, gone, units, erased.person, erased.suppressions())


def _ids(source: Source, erased: "_Erased") -> Iterator[str]:
    """The ids of everybody in the backup, friends and customers, some of them twice."""
    for row in source.rows("gates"):
        if not row["pk"]["S"].startswith(f"{ANONYMOUS}#"):
            yield row["pk"]["S"]
    for row in source.rows("identities"):
        kind, _, name = row["pk"]["S"].partition("#")
        if kind == "line":
            yield anonymous_id(name)
        elif kind == "customer":
            yield name
        elif row["pk"]["S"].startswith(ERASED_ROWS):
            erased.said_before(name, decoded(_suppression, row["body"]["S"].encode(), format_of(row)))


def _customers(source: Source, named: set[str]) -> Iterator[Customer]:
    for row in source.rows("customers"):
        if row["pk"]["S"] in named:
            yield decode_customer(row)


def _then(customer: Customer) -> Then:
    return Then(customer.line_user_id, customer.journeys)


def _gone(people: list[PersonFact], friends: dict[str, str]) -> dict[str, list[tuple[Instant, str]]]:
    found: dict[str, list[tuple[Instant, str]]] = defaultdict(list)
    for one in people:
        friend = friends.get(one.customer_id)
        if friend and one.owner != one.customer_id:
            found[friends.get(one.owner, one.owner)].append((one.at, friend.removeprefix(ANONYMOUS)))
    return dict(found)


def _units(people: list[PersonFact], friends: dict[str, str]) -> dict[str, str]:
    return {
        one.customer_id: friends[one.unit]
        for one in sorted(people, key=lambda one: one.seen_at)
        if one.unit != one.customer_id and one.unit in friends
    }


class _Erased:
    """Whoever is proven to be erased, or is being erased: nobody of them is put back."""

    def __init__(self, stores: Stores) -> None:
        kept = Kept(stores)
        proofs, under_way = kept.proofs(), kept.open()
        self._key = key_of(stores) if proofs or under_way else ""
        self._said: dict[str, Suppression] = {}
        self._now: dict[str, Suppression] = {}
        for proof in proofs:
            told = Suppression(proof["erasure"], parse_instant(proof["asked_at"]))
            self._now |= dict.fromkeys(proof["ids"], told)
        for one in under_way:
            told = Suppression(one.erasure_id, one.at)
            self._now |= {hashed(self._key, identity): told for identity in one.person.identities}
        self._customers: set[str] = set()

    def said_before(self, digest: str, suppression: Suppression) -> None:
        """What the backup itself says of an id: it may have come back of itself since."""
        self._said[digest] = suppression

    def meet(self, customer_id: str) -> None:
        """Somebody of the backup."""
        if self._now and hashed(self._key, identity_of(customer_id)) in self._now:
            self._customers.add(customer_id)

    def suppressions(self) -> dict[str, Suppression]:
        """What is to be known of the erased, beside what the backup knows."""
        return {digest: one for digest, one in self._now.items() if not self._is_known(digest)}

    def _is_known(self, digest: str) -> bool:
        said = self._said.get(digest)
        return said is not None and said.erasure_id == self._now[digest].erasure_id

    @property
    def person(self) -> Person | None:
        """All of them, as one: whatever is anybody's of them is left out."""
        back = {one for one in self._customers if not self._is_lifted(one)}
        if not back:
            return None
        users = sorted(one.removeprefix(ANONYMOUS) for one in back if is_anonymous(one))
        return Person(sorted(back), users, "restore")

    def _is_lifted(self, customer_id: str) -> bool:
        digest = hashed(self._key, identity_of(customer_id))
        said = self._said.get(digest)
        return self._is_known(digest) and said is not None and said.lifted_at is not None
