"""LINE's monthly quota, asked through line-bot-sdk: once, with a timeout, by a client of its own."""

import urllib3
from linebot.v3.messaging import ApiClient, ApiException, Configuration, MessagingApi

from functions.domain.money import LineUsage
from functions.line.access import AccessToken
from functions.line.messaging import UNAUTHORIZED
from functions.ports.errors import Retryable

TIMEOUT_SECONDS = 2.0
"""Messages wait for the answer, and need it less than they need to go."""


class LineMonthlyQuota:
    """The quota of one channel."""

    def __init__(self, api_url: str, access_token: AccessToken) -> None:
        self._api_url = api_url.rstrip("/")
        self._access_token = access_token

    def usage(self) -> LineUsage:
        """The limit and the use of this month. Raises Retryable where LINE does not tell: it is asked again later."""
        try:
            return self._asked()
        except ApiException as error:
            if error.status == UNAUTHORIZED:
                self._access_token.forget()
            raise Retryable(f"LINE tells no quota: it answered {error.status}") from None
        except (
            urllib3.exceptions.HTTPError,
            ValueError,
        ) as error:  # the SDK's faults of form are ValueErrors
            raise Retryable(f"LINE tells no quota: {type(error).__name__}") from None

    def _asked(self) -> LineUsage:
        configuration = Configuration(host=self._api_url, access_token=self._access_token())
        configuration.retries = False  # the SDK would repeat a GET three times, each with the whole timeout
        with ApiClient(configuration) as client:
            api = MessagingApi(client)
            quota = api.get_message_quota(_request_timeout=TIMEOUT_SECONDS)
            used = api.get_message_quota_consumption(_request_timeout=TIMEOUT_SECONDS)
        return LineUsage(quota.value if quota.type == "limited" else None, used.total_usage)
