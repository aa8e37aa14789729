"""The Messaging API: which request goes where, and what every request has to pass first."""

import hmac
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote

from ops.line_sandbox import accounts, insight, rich_menus, sends
from ops.line_sandbox.answers import AUTHENTICATION_FAILED, RATE_LIMITED, Answer, RefusedError, refused
from ops.line_sandbox.calls import Call, Request
from ops.line_sandbox.endpoints import Endpoints, Route
from ops.line_sandbox.world import World

BODY_BYTES_MAX = 2 * 1024 * 1024
MESSAGE = "/v2/bot/message"
SENDERS: Mapping[str, Callable[[World, Call], Answer]] = {
    "push": sends.push,
    "multicast": sends.multicast,
    "broadcast": sends.broadcast,
    "narrowcast": sends.narrowcast,
    "reply": sends.reply,
}
ROUTES: Mapping[str, Route] = {
    **{f"{MESSAGE}/{name}": Route(name, "POST", handle) for name, handle in SENDERS.items()},
    **{f"{MESSAGE}/validate/{name}": Route(f"validate/{name}", "POST", sends.validate) for name in SENDERS},
    f"{MESSAGE}/quota": Route("quota", "GET", accounts.quota),
    f"{MESSAGE}/quota/consumption": Route("consumption", "GET", accounts.consumption),
    f"{MESSAGE}/aggregation/info": Route("aggregation/info", "GET", insight.units_used),
    f"{MESSAGE}/aggregation/list": Route("aggregation/list", "GET", insight.units_listed),
    "/v2/bot/insight/message/event/aggregation": Route("insight/aggregation", "GET", insight.aggregation),
    "/v2/bot/info": Route("bot_info", "GET", accounts.bot_info),
    "/v2/bot/channel/webhook/endpoint": Route("webhook/endpoint", "GET", accounts.webhook_endpoint),
}
USER_ROUTES: tuple[tuple[re.Pattern[str], Route], ...] = (
    (re.compile(r"/v2/bot/profile/([^/]+)"), Route("profile", "GET", accounts.profile)),
    (re.compile(r"/v2/bot/user/([^/]+)/linkToken"), Route("link_token", "POST", accounts.link_token)),
    (re.compile(r"/v2/bot/user/([^/]+)/richmenu"), Route("richmenu/of_user", "GET", rich_menus.of_user)),
    (re.compile(r"/v2/bot/user/([^/]+)/richmenu"), Route("richmenu/unlink", "DELETE", rich_menus.unlink)),
    (re.compile(r"/v2/bot/user/([^/]+)/richmenu/[^/]+"), Route("richmenu/link", "POST", rich_menus.link)),
)


class MessagingApi:
    """LINE's Messaging API over one world, for one access token. Calls may come from many threads at once."""

    def __init__(
        self, world: World, access_token: str, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self._world = world
        self._authorization = f"Bearer {access_token}".encode()
        self._endpoints = Endpoints(world, pause)

    def answer(self, request: Request) -> Answer:
        """Any request's answer, with `x-line-request-id`."""
        request_id = str(uuid.uuid4())
        route, user_id = find_route(request.path, request.method)
        try:
            answer = self._answer(route, request, request_id, user_id)
        except RefusedError as refusal:
            answer = refusal.answer
        endpoint = route.endpoint if route else "unknown"
        self._world.note_answer(endpoint, "dropped" if answer.dropped else str(answer.status))
        return replace(answer, headers={**answer.headers, "x-line-request-id": request_id})

    def _answer(self, route: Route | None, request: Request, request_id: str, user_id: str) -> Answer:
        """The gates in LINE's order: path, method, token, rate, size; then the faults around the endpoint."""
        if route is None:
            raise refused(404, "Not found")
        if request.method != route.method:
            raise refused(405, "Method not allowed")
        self._authenticate(request)
        if not self._world.rate_limits.allow(route.endpoint, request.method):
            raise refused(429, RATE_LIMITED)
        if len(request.body) > BODY_BYTES_MAX:
            raise refused(
                413, "Request exceeds the max size of 2MB. Make the request smaller than 2MB and try again."
            )
        return self._endpoints.answer(route, Call(request, request_id, self._world.clock(), user_id))

    def _authenticate(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            raise refused(401, AUTHENTICATION_FAILED)


def find_route(path: str, method: str) -> tuple[Route | None, str]:
    """The route of a path and the user id in it, if any; of several methods the one that is asked for."""
    route = ROUTES.get(path)
    if route:
        return route, ""
    found = [(one, match[1]) for pattern, one in USER_ROUTES if (match := pattern.fullmatch(path))]
    fitting = [pair for pair in found if pair[0].method == method] or found
    return (fitting[0][0], unquote(fitting[0][1])) if fitting else (None, "")
