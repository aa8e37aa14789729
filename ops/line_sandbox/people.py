"""What people do in LINE: add the account, block it, come back, link their accounts. Each tells the webhook."""

from typing import Any, Literal

from ops.line_sandbox.answers import JsonObject
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.webhooks import WebhookOrder, WebhookResult, WebhookSender
from ops.line_sandbox.world import World

NONCE_LENGTH_MIN = 10
NONCE_LENGTH_MAX = 255
LinkResult = Literal["ok", "failed"]


def is_nonce(text: str) -> bool:
    """Whether the account-link dialog takes it: 10 to 255 characters."""
    return NONCE_LENGTH_MIN <= len(text) <= NONCE_LENGTH_MAX


class People:
    """Changes who is a friend, then sends the event. Without a webhook address only the change happens."""

    def __init__(self, world: World, webhooks: WebhookSender) -> None:
        self._world = world
        self._webhooks = webhooks

    def follow(self, user_id: str, *, at: str = "", display_name: str = "") -> WebhookResult:
        """The user adds the account, or unblocks it: then `follow.isUnblocked` is true."""
        before = self._become(Friend(user_id=user_id, display_name=display_name, state="friend"))
        unblocked = before is not None and before.state == "blocked"
        return self._tell({"type": "follow", "user_id": user_id, "at": at, "is_unblocked": unblocked})

    def block(self, user_id: str, *, at: str = "") -> WebhookResult:
        """The user blocks the account: an unfollow event."""
        self._become(Friend(user_id=user_id, state="blocked"))
        return self._tell({"type": "unfollow", "user_id": user_id, "at": at})

    def link_account(
        self, link_token: str, nonce: str, *, at: str = "", result: LinkResult = "ok"
    ) -> WebhookResult | None:
        """The dialog's end: an accountLink event with the nonce.

        None, and no event, where the token is used, expired or unknown or the nonce has not its form. The result is
        `failed` where somebody else opened the dialog than the token was issued for.
        """
        if not is_nonce(nonce):
            return None
        with self._world.lock:
            user_id = self._world.link_tokens.redeem(link_token, self._world.clock())
        if user_id is None:
            return None
        return self._tell(
            {"type": "accountLink", "user_id": user_id, "at": at, "result": result, "nonce": nonce}
        )

    def _become(self, friend: Friend) -> Friend | None:
        with self._world.lock:
            return self._world.friends.move(friend.user_id, friend.state, friend.display_name)

    def _tell(self, description: dict[str, Any]) -> WebhookResult:
        if not self._world.settings.webhook_url:
            return WebhookResult(events=[], posts=[])
        event: JsonObject = {name: value for name, value in description.items() if value != ""}
        return self._webhooks.send(WebhookOrder(events=[event]))
