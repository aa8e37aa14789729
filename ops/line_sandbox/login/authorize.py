"""The login in the browser: what LINE asks the user, and where it sends the browser then."""

from ops.line_sandbox.answers import Answer, redirect
from ops.line_sandbox.calls import Request
from ops.line_sandbox.friends import Friend
from ops.line_sandbox.login.book import Consent, Grant
from ops.line_sandbox.login.forms import read_form
from ops.line_sandbox.login.pages import Pages
from ops.line_sandbox.login.requests import (
    AuthorizationRequest,
    RefusedRequestError,
    UnusableRequestError,
    error_location,
    language,
    origin_of,
    read_request,
    with_parameters,
)
from ops.line_sandbox.people import People
from ops.line_sandbox.phone import changed_phone
from ops.line_sandbox.world import World

PATH = "/oauth2/v2.1/authorize"
ANSWER_PATH = "/oauth2/v2.1/authorize/answer"
DENIED = "access_denied", "The resource owner denied the request."


class Authorizations:
    """Consents of one world. What a user does here happens at the world's instant and tells the webhook."""

    def __init__(self, world: World, people: People, pages: Pages) -> None:
        self._world = world
        self._people = people
        self._pages = pages

    def ask(self, request: Request) -> Answer:
        """GET: the consent page, or at once the callback."""
        accepted = request.headers.get("accept-language", "")
        try:
            wanted = read_request(request.query, accepted, self._world.settings)
        except UnusableRequestError as fault:
            return self._pages.fault(language([], accepted), str(fault))
        except RefusedRequestError as refusal:
            return redirect(refusal.location)
        return self._at_once(wanted) or self._page(Consent(wanted))

    def answer(self, request: Request) -> Answer:
        """POST: the user allows, cancels, or answers the offer to add the account. A ticket counts once."""
        form = read_form(request) or {}
        with self._world.lock:
            consent = self._world.login.open_consent(form.get("ticket", ""))
        if consent is None:
            lang = language([], request.headers.get("accept-language", ""))
            return self._pages.fault(lang, "This login has been answered already, or never began.")
        if consent.user_id:
            return self._offer_answered(form, consent)
        if form.get("decision") == "allow":
            return self._allowed(form, consent)
        return self._denied(consent.request) if self._close(form) else self._answered_twice(consent)

    def _at_once(self, wanted: AuthorizationRequest) -> Answer | None:
        """The callback without a page: a refusal on demand, a user who always agrees, or `prompt=none`."""
        with self._world.lock:
            phone = self._world.phone
            if phone.cancel_next:
                self._world.phone = changed_phone(phone, {"cancel_next": False})
                return self._denied(wanted)
            agreed = self._world.login.has_agreed(phone.user_id, wanted.client_id)
        if phone.user_id and phone.consent == "allow":
            return self._finish(wanted, phone.user_id, add_friend=phone.add_friend, amr="lineautologin")
        if wanted.prompt != "none":
            return None
        if not phone.user_id:
            return self._refused(wanted, "login_required", "The user is not logged in.")
        if not agreed:
            return self._refused(wanted, "interaction_required", "The user has not agreed yet.")
        return self._finish(wanted, phone.user_id, add_friend=False, amr="lineautologin")

    def _allowed(self, form: dict[str, str], consent: Consent) -> Answer:
        user_id = form.get("user_id", "").strip() or form.get("user", "")
        try:
            friend = self._known(user_id)
        except ValueError:
            return self._page(consent, form["ticket"], wrong_user=True)
        if not self._close(form):
            return self._answered_twice(consent)
        wanted = consent.request
        if wanted.bot_prompt == "aggressive" and friend.state != "friend":
            return self._page(Consent(wanted, friend.user_id))
        return self._finish(wanted, friend.user_id, add_friend="add_friend" in form)

    def _offer_answered(self, form: dict[str, str], consent: Consent) -> Answer:
        if not self._close(form):
            return self._answered_twice(consent)
        return self._finish(consent.request, consent.user_id, add_friend=form.get("decision") == "add")

    def _finish(
        self, wanted: AuthorizationRequest, user_id: str, *, add_friend: bool, amr: str = "linesso"
    ) -> Answer:
        """The callback with a code, after the account was added where the user wished it and was asked."""
        offered = bool(wanted.bot_prompt) and self._known(user_id).state != "friend"
        if offered and add_friend:
            self._people.follow(user_id)
        with self._world.lock:
            code = self._world.login.issue_code(Grant(wanted, user_id, self._world.clock(), amr))
        parameters = {"code": code, "state": wanted.state}
        if offered:
            parameters["friendship_status_changed"] = "true" if add_friend else "false"
        if wanted.liff_id:
            parameters |= {"liffClientId": wanted.client_id, "liffRedirectUri": wanted.redirect_uri}
        return redirect(with_parameters(wanted.redirect_uri, parameters))

    def _page(self, consent: Consent, ticket: str = "", *, wrong_user: bool = False) -> Answer:
        wanted = consent.request
        with self._world.lock:
            ticket = ticket or self._world.login.ask(consent)
            phone = self._world.phone
            if phone.user_id:
                self._world.friends.meet(phone.user_id)
            friends = self._world.friends.everybody()
        callback = origin_of(wanted.redirect_uri)
        if consent.user_id:
            return self._pages.offer(wanted.lang, ticket, callback)
        return self._pages.consent(wanted, ticket, callback, friends, phone.user_id, wrong_user=wrong_user)

    def _known(self, user_id: str) -> Friend:
        """The user, who is from now on known but no friend where new; ValueError for a malformed id."""
        with self._world.lock:
            return self._world.friends.meet(user_id)

    def _close(self, form: dict[str, str]) -> bool:
        with self._world.lock:
            return self._world.login.close_consent(form["ticket"]) is not None

    def _answered_twice(self, consent: Consent) -> Answer:
        return self._pages.fault(
            consent.request.lang, "This login has been answered already, or never began."
        )

    def _denied(self, wanted: AuthorizationRequest) -> Answer:
        return self._refused(wanted, *DENIED)

    def _refused(self, wanted: AuthorizationRequest, code: str, description: str) -> Answer:
        settings = self._world.settings
        return redirect(error_location(wanted.redirect_uri, wanted.state, code, description, settings))
