"""What LINE says of the channel itself: whose token it is, and where its webhooks go. For people; no message needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import urllib3
from linebot.v3.messaging import ApiClient, ApiException, Configuration, MessagingApi

from functions.line.access import AccessToken
from functions.line.messaging import UNAUTHORIZED
from functions.ports.errors import AccountRefused, Rejected, Retryable

TIMEOUT_SECONDS = 5.0
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Bot:
    """The Official Account that a token belongs to."""

    name: str
    basic_id: str


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where LINE posts webhooks, and whether it does ("Use webhook" in its console)."""

    url: str
    is_active: bool


class LineBot:
    """One channel. AccountRefused where the token is not valid, Retryable where LINE does not answer as it should."""

    def __init__(self, api_url: str, access_token: AccessToken) -> None:
        self._api_url = api_url.rstrip("/")
        self._access_token = access_token

    def info(self) -> Bot:
        """The account."""
        with self._api() as api:
            found = api.get_bot_info(_request_timeout=TIMEOUT_SECONDS)
            return Bot(found.display_name, found.basic_id)

    def webhook(self) -> WebhookEndpoint | None:
        """The endpoint; None where none was ever set."""
        try:
            with self._api() as api:
                found = api.get_webhook_endpoint(_request_timeout=TIMEOUT_SECONDS)
                return WebhookEndpoint(found.endpoint, found.active)
        except AccountRefused:
            raise
        except Rejected:
            return None

    @contextmanager
    def _api(self) -> Iterator[MessagingApi]:
        configuration = Configuration(host=self._api_url, access_token=self._access_token())
        configuration.retries = False  # a person waits, and can ask again
        try:
            with ApiClient(configuration) as client:
                yield MessagingApi(client)
        except ApiException as error:
            if error.status == UNAUTHORIZED:
                raise AccountRefused(f"http_{error.status}") from None
            if error.status == NOT_FOUND:
                raise Rejected(f"http_{error.status}") from None
            raise Retryable(f"LINE answered {error.status}") from None
        except (
            urllib3.exceptions.HTTPError,
            ValueError,
        ) as error:  # the SDK's faults of form are ValueErrors
            raise Retryable(f"no answer from LINE: {type(error).__name__}") from None
