"""What every way to link ends with: the attempt is taken up, and its events go into the inbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.domain.instants import Instant
from functions.domain.linking_attempts import Agreed, Taken, Way, link_events, may_return_to
from functions.domain.playbook import Linking
from functions.link.answers import Answer, Lang, Pages, html_of, policy_of
from functions.ports.errors import MusubiError
from functions.ports.identities import Identities, LinkAttempts
from functions.ports.messages import EventsReceived
from functions.ports.playbooks import Playbooks
from functions.ports.queues import Inbox
from functions.ports.tokens import SignedTokens


class AddFriend(Protocol):
    """Where a LINE user adds the account as a friend."""

    def add_friend_url(self) -> str:
        """The address. Raises MusubiError where LINE does not tell."""


@dataclass(frozen=True, slots=True)
class Completing:
    """The ports that all ways share."""

    attempts: LinkAttempts
    identities: Identities
    inbox: Inbox
    playbooks: Playbooks
    tokens: SignedTokens
    pages: Pages
    add_friend: AddFriend
    base_url: str
    now: Callable[[], Instant]

    def linking(self) -> Linking:
        """What the playbook in force says of linking."""
        return self.playbooks.in_force().playbook.linking

    def complete(self, attempt_id: str, user: str, way: Way, agreed: Sequence[Agreed] = ()) -> Taken | None:
        """Take the attempt up and enqueue what follows; None where it is over, or somebody else's.

        A crash in between is mended by the same user's next try: the same events again.
        """
        taken = self.attempts.take(attempt_id, user, self.now(), way)
        if taken is not None:
            self.inbox.put([EventsReceived(taken.attempt.customer_id, link_events(taken, agreed))])
        return taken

    def ticked(self, purposes: Sequence[str], versions: Mapping[str, str]) -> list[Agreed]:
        """Of what somebody ticked, what the playbook in force asks in the very words that were shown."""
        asked = {one.purpose: one.version for one in self.linking().consent}
        chosen = [one for one in dict.fromkeys(purposes) if one in asked]
        return [Agreed(one, asked[one]) for one in chosen if versions.get(one) == asked[one]]

    def page(self, status: int, name: str, lang: Lang, policy: str = "", **values: Any) -> Answer:
        """One page. `policy`: another than that of pages without script."""
        html = self.pages.page(name, lang, {"base": self.base_url, "lang": lang, **values})
        return html_of(status, html, policy or policy_of(self.pages.style_hash()))

    def trouble(self, status: int, what: str, lang: Lang) -> Answer:
        """A page that says what went wrong and how to go on."""
        return self.page(status, "trouble", lang, what=what)

    def done(self, taken: Taken, lang: Lang, *, is_friend: bool | None) -> Answer:
        """The result: the button to add the account where LINE says that it is none yet. Nobody is told that they are
        linked where somebody has to decide first."""
        if self._is_disputed(taken):
            return self.trouble(200, "disputed", lang)
        back = taken.attempt.return_url
        return self.page(
            200,
            "done",
            lang,
            friend_url="" if is_friend is not False else self._friend_url(),
            return_url=back if may_return_to(back, self.linking().return_to) else "",
        )

    def welcome(self, lang: Lang, *, is_friend: bool | None) -> Answer:
        """For whoever comes by a source of ours: the button to add the account, but for those who are friends."""
        return self.page(200, "welcome", lang, friend_url="" if is_friend else self._friend_url())

    def _is_disputed(self, taken: Taken) -> bool:
        """Whether the LINE user is somebody else's, and stays so for now. The events may be folded already, or not yet."""
        link = self.identities.link_of(taken.line_user_id)
        if link is None or not link.tied or link.customer_id == taken.attempt.customer_id:
            return False
        return self.linking().conflict != "move"

    def _friend_url(self) -> str:
        try:
            return self.add_friend.add_friend_url()
        except MusubiError:
            return ""  # the link is made; a button less is no reason to say otherwise
