"""What can be set about a sandbox while it runs."""

from typing import Annotated, Literal

import msgspec

from ops.line_sandbox.answers import JsonObject

# Known to everybody, like all of the sandbox's defaults.
SANDBOX_LOGIN_CHANNEL_ID = "2000000001"
SANDBOX_LOGIN_CHANNEL_SECRET = "0c6f2f6a0f5d4b0e9f3d6f3b7a1c5e29"  # noqa: S105
SANDBOX_LIFF_ID = f"{SANDBOX_LOGIN_CHANNEL_ID}-Sandbox1"
BOT_USER_ID = "U8e742f61d673b39c7fff3cecb7536ef0"
Address = Annotated[str, msgspec.Meta(pattern="^https?://[!-~]+$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sandbox's settings; each has a default, and a change names only what changes."""

    destination: Annotated[str, msgspec.Meta(pattern="^U[0-9a-f]{32}$")] = BOT_USER_ID
    """The account's own user id, as webhooks and the account's information name it."""
    webhook_url: str = ""
    """Where follow, block and other events of users are posted; empty: nowhere."""
    webhook_active: bool = True
    """What the account's information says of "Use webhook"; webhooks are posted all the same."""
    webhook_timeout_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    webhook_redeliveries_max: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    """How often a webhook that got no 2xx is delivered again; LINE's redelivery is off by default, too."""
    accept_any_user: bool = False
    """Whether a well-formed id that nobody registered is a friend; LINE refuses it with 400."""
    rate_scale: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Factor on all of LINE's rate limits."""
    monthly_limit: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Recipients a calendar month in Japan; None: no limit."""
    duplicate_window_hours: Annotated[float, msgspec.Meta(ge=0)] = 20.0
    """Within it, the same content to the same user counts as a second copy."""
    login_channel_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}$")] = SANDBOX_LOGIN_CHANNEL_ID
    """The LINE Login channel of the same provider: the `client_id` and the audience of ID tokens."""
    login_channel_secret: Annotated[str, msgspec.Meta(min_length=16)] = SANDBOX_LOGIN_CHANNEL_SECRET
    """The channel's secret: lets the token endpoint be used, and signs the ID tokens of web logins."""
    login_redirect_uris: tuple[Address, ...] = ()
    """Callback addresses registered with the channel, compared without their query; none: no web login."""
    login_error_case: Literal["lower", "upper"] = "lower"
    """LINE has documented the callback's error codes as access_denied and, later, as ACCESS_DENIED."""
    liff_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}-[A-Za-z0-9]{1,20}$")] = SANDBOX_LIFF_ID
    liff_endpoint_url: Annotated[str, msgspec.Meta(pattern="^(https?://[!-~]+)?$")] = ""
    """The LIFF app's page; empty: there is no LIFF app."""


def changed(settings: Settings, changes: JsonObject) -> Settings:
    """The settings with the changes; msgspec.ValidationError where a name or a value is wrong."""
    return msgspec.convert({**msgspec.to_builtins(settings), **changes}, Settings)
