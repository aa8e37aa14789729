"""What the Messaging API tells about the account and its users, and the link tokens it issues."""

from ops.line_sandbox.answers import Answer, JsonObject, refused
from ops.line_sandbox.calls import Call
from ops.line_sandbox.friends import is_recipient_id
from ops.line_sandbox.world import World


def quota(world: World, _call: Call) -> Answer:
    """`{type: none}` or `{type: limited, value}`."""
    limit = world.settings.monthly_limit
    return Answer(200, {"type": "none"} if limit is None else {"type": "limited", "value": limit})


def consumption(world: World, call: Call) -> Answer:
    """`{totalUsage}`: recipients reached this month."""
    with world.lock:
        return Answer(200, {"totalUsage": world.quota.used(call.now)})


def profile(world: World, call: Call) -> Answer:
    """A friend's profile; 404 for who blocked the account, is no friend or is unknown."""
    with world.lock:
        friend = world.friends.find(call.user_id)
        if friend is None and world.settings.accept_any_user and is_recipient_id(call.user_id):
            friend = world.friends.befriend_if_unknown(call.user_id)
    if friend is None or friend.state != "friend":
        raise refused(404, "Not found")
    body: JsonObject = {
        "userId": friend.user_id,
        "displayName": friend.display_name or "LINE user",
        "language": "ja",
    }
    return Answer(200, body)


def link_token(world: World, call: Call) -> Answer:
    """`{linkToken}`, good for ten minutes and one use; 404 for an unknown user."""
    with world.lock:
        if world.friends.find(call.user_id) is None:
            raise refused(404, "Not found")
        return Answer(200, {"linkToken": world.link_tokens.issue(call.user_id, call.now)})


def bot_info(world: World, _call: Call) -> Answer:
    """The account itself."""
    body: JsonObject = {
        "userId": world.settings.destination,
        "basicId": "@sandbox",
        "displayName": "LINE sandbox",
        "chatMode": "bot",
        "markAsReadMode": "auto",
    }
    return Answer(200, body)


def webhook_endpoint(world: World, _call: Call) -> Answer:
    """`{endpoint, active}`; 404 where none is set."""
    settings = world.settings
    if not settings.webhook_url:
        raise refused(404, "Not found")
    return Answer(200, {"endpoint": settings.webhook_url, "active": settings.webhook_active})
