"""Which request goes where in LINE Login, the dialog and LIFF; and which pages of other origins may read answers."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from ops.line_sandbox.answers import Answer, RefusedError, refused
from ops.line_sandbox.calls import Call, Request
from ops.line_sandbox.endpoints import Endpoints, Route
from ops.line_sandbox.login import api, authorize, dialog, liff
from ops.line_sandbox.login.pages import Pages
from ops.line_sandbox.login.requests import origin_of
from ops.line_sandbox.people import People
from ops.line_sandbox.world import World

ROUTES: Mapping[str, tuple[Route, ...]] = {
    "/oauth2/v2.1/token": (Route("login/token", "POST", api.token),),
    "/oauth2/v2.1/verify": (
        Route("login/verify", "POST", api.verify_id_token),
        Route("login/verify_access_token", "GET", api.verify_access_token),
    ),
    "/oauth2/v2.1/revoke": (Route("login/revoke", "POST", api.revoke),),
    "/oauth2/v2.1/certs": (Route("login/certs", "GET", api.certs),),
    "/oauth2/v2.1/userinfo": (
        Route("login/userinfo", "GET", api.user_info),
        Route("login/userinfo", "POST", api.user_info),
    ),
    "/v2/profile": (Route("login/profile", "GET", api.profile),),
    "/friendship/v1/status": (Route("login/friendship", "GET", api.friendship),),
    liff.SESSION_PATH: (Route("liff/session", "GET", liff.session),),
}


class LoginSite:
    """LINE Login over one world. `pause` waits where a fault rule says slow."""

    def __init__(self, world: World, people: People, pause: Callable[[float], object]) -> None:
        pages = Pages()
        self._world = world
        self._endpoints = Endpoints(world, pause)
        logins = authorize.Authorizations(world, people, pages)
        links = dialog.AccountLinkDialog(world, people, pages)
        self._pages: Mapping[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", authorize.PATH): logins.ask,
            ("POST", authorize.ANSWER_PATH): logins.answer,
            ("GET", dialog.PATH): links.ask,
            ("POST", dialog.PATH): links.answer,
            ("GET", liff.SDK_PATH): liff.sdk,
        }
        self._page_paths = frozenset(path for _, path in self._pages)

    def answer(self, request: Request) -> Answer | None:
        """The answer; None where the path is none of LINE Login's."""
        if request.path in ROUTES:
            return self._api_answer(request)
        if request.path in self._page_paths:
            page = self._pages.get((request.method, request.path))
            return page(request) if page else Answer(405, {"message": "Method not allowed"})
        return liff.opened(self._world, request)

    def _api_answer(self, request: Request) -> Answer:
        cross_origin = self._cross_origin(request)
        if request.method == "OPTIONS" and cross_origin:
            return Answer(204, headers=cross_origin)
        request_id = str(uuid.uuid4())
        routes = ROUTES[request.path]
        route = next((one for one in routes if one.method == request.method), None)
        try:
            if route is None:
                raise refused(405, "Method not allowed")
            answer = self._endpoints.answer(route, Call(request, request_id, self._world.clock()))
        except RefusedError as refusal:
            answer = refusal.answer
        self._world.note_answer(routes[0].endpoint if route is None else route.endpoint, _outcome(answer))
        return replace(answer, headers={**answer.headers, **cross_origin, "x-line-request-id": request_id})

    def _cross_origin(self, request: Request) -> dict[str, str]:
        """The LIFF app's own page may read answers; no other."""
        origin = request.headers.get("origin", "")
        if not origin or origin != origin_of(self._world.settings.liff_endpoint_url):
            return {}
        return {
            "access-control-allow-origin": origin,
            "access-control-allow-headers": "authorization, content-type",
            "vary": "origin",
        }


def _outcome(answer: Answer) -> str:
    return "dropped" if answer.dropped else str(answer.status)
