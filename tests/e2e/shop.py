"""A shop and its customers, as the end-to-end tests act them: over HTTP, and with the `musubi` command."""

import datetime as dt
import json
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import urllib3
from click.testing import CliRunner, Result

from functions.aws.objects import IN_FORCE_SECONDS
from functions.domain.accounts import Accounts
from functions.domain.experiments import is_held_out
from functions.domain.instants import format_instant
from functions.domain.line_events import anonymous_id
from functions.domain.sends import SendRecord
from ops.accounts import accounts
from ops.cli import musubi
from ops.customer_card import card_of, find_customer
from ops.line_sandbox import SandboxClient
from ops.local.clock import LocalClock
from ops.local.workers import kill_workers
from ops.stores import Stores

_numbers = count(1)


class Shop:
    """One deployment with its virtual clock, its LINE sandbox and a CRM that posts events."""

    def __init__(self, record: dict[str, Any], clock: LocalClock, stores: Stores) -> None:
        self.record = record
        self.clock = clock
        self.stores = stores
        self.line = SandboxClient(record["line_url"])
        self._http = urllib3.PoolManager()

    @property
    def run_dir(self) -> Path:
        """Where this run's processes work."""
        return Path(self.record["run_dir"])

    def new_customer(self, *, held_out: bool = False) -> tuple[str, str]:
        """A customer id and a LINE user id that nobody used before.

        Neither is held out of promotions, or both are: which id a person is known by first depends on the test.
        """
        playbook = self.stores.playbooks.in_force().playbook
        for number in _numbers:
            customer, user = f"customer-{number}", f"U{number:032x}"
            units = (customer, anonymous_id(user))
            if {is_held_out(playbook, "", "promotion", unit) for unit in units} == {held_out}:
                return customer, user
        raise AssertionError("the numbers never end")

    def post(self, *events: dict[str, Any]) -> dict[str, Any]:
        """Send CRM events; the answer's body, and that it was 202."""
        answer = self.post_raw({"events": list(events)})
        assert answer.status == 202, answer.data
        body: dict[str, Any] = answer.json()
        return body

    def post_raw(self, body: Any, key: str | None = None) -> urllib3.BaseHTTPResponse:
        """Send whatever as the CRM, with the right key unless another is given."""
        headers = {"authorization": f"Bearer {self.record['ingest_key'] if key is None else key}"}
        if isinstance(body, bytes):
            return self._http.request("POST", self.record["ingest_url"], body=body, headers=headers)
        return self._http.request("POST", self.record["ingest_url"], json=body, headers=headers)

    def post_webhook(self, body: bytes, signature: str) -> urllib3.BaseHTTPResponse:
        """Send whatever as LINE."""
        headers = {"x-line-signature": signature, "content-type": "application/json"}
        return self._http.request("POST", self.record["webhook_url"], body=body, headers=headers)

    def event(self, customer_id: str, name: str, event_id: str = "", **properties: Any) -> dict[str, Any]:
        """A CRM event that happened just now."""
        return {
            "event_id": event_id or f"event-{next(_numbers)}",
            "customer_id": customer_id,
            "name": name,
            "occurred_at": format_instant(self.clock.now),
            "source": "shop",
            "properties": properties,
        }

    def purchase(self, customer_id: str, event_id: str = "", amount: int = 4800) -> dict[str, Any]:
        """An order that was paid just now."""
        return self.event(
            customer_id, "purchase", event_id, order_id=f"order-{next(_numbers)}", amount=amount
        )

    def linked(self, customer_id: str, user: str) -> dict[str, Any]:
        """The CRM ties the customer to the LINE user, with consent to marketing."""
        return self.event(customer_id, "line_linked", line_user_id=user, method="crm", consent=["marketing"])

    def befriend(self, customer_id: str, user: str) -> None:
        """Follow, link and settle."""
        self.line.follow(user)
        self.clock.settle()
        self.post(self.linked(customer_id, user))
        self.clock.settle()

    def link(self, customer_id: str, user: str) -> None:
        """The CRM knows a friend of the account already: linked without a follow, so that nothing welcomes them."""
        self.line.register_friends([user])
        self.post(self.linked(customer_id, user))

    def kill_workers(self, function: str) -> int:
        """Kill all workers of a function, and how many. The engine finds each dead at its next call: here they are
        called in vain, for otherwise each would cost a message one of the receives after which it is a dead letter."""
        killed = kill_workers(self.run_dir, function)
        name = self.stores.target.output(f"Function{function.capitalize()}")
        for _ in range(killed):
            self.stores.target.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"Records": []}))
        return killed

    def faults_struck(self, kind: str) -> int:
        """How often a fault of this kind has struck so far."""
        return self.line.report(with_users=False).faults.get(kind, 0)

    def musubi(self, *arguments: str) -> Result:
        """The `musubi` command on this deployment, as a person types it."""
        state = str(Path(self.record["run_dir"]).parent / "local.json")
        return CliRunner().invoke(musubi, [*arguments, "--local", state], catch_exceptions=False)

    def apply(self, *arguments: str) -> Result:
        """`musubi apply`, and the seconds for which a worker may still hold the version before."""
        applied = self.musubi("apply", *arguments)
        assert applied.exit_code == 0, applied.output
        time.sleep(IN_FORCE_SECONDS + 0.5)
        return applied

    def explained(self, customer_id: str) -> dict[str, Any]:
        """What `musubi explain` says of one customer."""
        answer = self.musubi("explain", customer_id, "--format", "json")
        assert answer.exit_code == 0, answer.output
        card: dict[str, Any] = json.loads(answer.stdout)
        return card

    def pass_time(self, **span: float) -> None:
        """Let so much virtual time pass (days=…, hours=…)."""
        self.clock.advance_to(self.clock.now + dt.timedelta(**span))

    def sends_of(self, customer_id: str, step: str = "") -> list[SendRecord]:
        """The customer's send log, of one step where one is named."""
        customer = find_customer(self.stores, customer_id)
        assert customer is not None, customer_id
        owners = sorted({customer.customer_id, *(alias.customer_id for alias in customer.aliases)})
        records = [record for owner in owners for record in self.stores.sends.of_customer(owner)]
        return [record for record in records if not step or record.step == step]

    def copies(self, user: str) -> int:
        """How many messages the sandbox delivered to this user."""
        return sum(1 for delivery in self.line.deliveries(user) if delivery.delivered)

    def card(self, identifier: str) -> dict[str, Any]:
        """The customer card."""
        customer = find_customer(self.stores, identifier)
        assert customer is not None, identifier
        return card_of(self.stores, customer)

    def accounts(self) -> Accounts:
        """The accounts of everything."""
        return accounts(self.stores)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll until it holds; AssertionError where it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
