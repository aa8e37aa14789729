"""Campaign runs as the bucket has them: their frozen lists, and how far they are enqueued. Read, never written."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from functions.aws.send_reports import LogKey, log_key
from functions.domain.accounts import Frozen, Names, number_of
from functions.domain.campaigns import Run, send_id_in
from functions.domain.instants import InstantError, format_instant, parse_instant
from ops.errors import UserError
from ops.stores import Stores

READERS = 16
"""So many pages are read at once, and in memory."""
_run = msgspec.json.Decoder(Run)


class _Listed(msgspec.Struct, frozen=True, array_like=True):
    """A `campaigns.Recipient` without its values, which are most of a page."""

    customer_id: str
    line_user_id: str


class _Page(msgspec.Struct, frozen=True):
    recipients: list[_Listed]
    next_key: str = ""


_page = msgspec.json.Decoder(_Page)


@dataclass(slots=True)
class RunFiles:
    """The names of a run's objects. A page's name is `<scan segment>-<number>`."""

    source: str
    prefix: str
    pages: list[str] = field(default_factory=list)
    enqueued: int = 0
    is_begun: bool = False
    awaits_approval: bool = False


class Person(msgspec.Struct, frozen=True):
    """Somebody on a run's list, and the message for them."""

    customer_id: str
    send_id: str
    key: LogKey


def run_files(stores: Stores, campaign: str = "") -> list[RunFiles]:
    """The runs of a campaign, one run (`campaign@occurrence`), or all; in order of time."""
    prefix = f"runs/{campaign.replace('@', '/')}/" if campaign else "runs/"
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    pages = stores.target.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stores.settings.bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            _, name, occurrence, *rest = item["Key"].split("/")
            names[name, occurrence].append("/".join(rest))
    found = [_files(name, occurrence, keys) for (name, occurrence), keys in names.items()]
    return sorted((one for one in found if one.is_begun), key=lambda one: one.source.split("@")[::-1])


def named(campaign: str) -> str:
    """A campaign, or a run with its instant as the bucket writes it. UserError where that is no instant."""
    name, at, occurrence = campaign.partition("@")
    try:
        return f"{name}@{format_instant(parse_instant(occurrence))}" if at else name
    except InstantError as error:
        raise UserError(f"--campaign {campaign}: {error}") from None


def _files(campaign: str, occurrence: str, names: Iterable[str]) -> RunFiles:
    files = RunFiles(f"{campaign}@{occurrence}", f"runs/{campaign}/{occurrence}")
    approved = False
    for name in names:
        folder, _, page = name.rpartition("/")
        if folder == "pages" and page.endswith(".json"):
            files.pages.append(page.removesuffix(".json"))
        files.enqueued += folder == "pages" and page.endswith(".enqueued")
        files.is_begun |= name == "run.json"
        files.awaits_approval |= name == "awaiting.json"
        approved |= name.startswith("approv")
    files.awaits_approval &= not approved
    files.pages.sort()
    return files


def _is_chain(last: str, pages: list[str]) -> bool:
    """Whether all pages of a scan segment up to its last one are there."""
    segment, _, number = last.partition("-")
    return sum(page.startswith(f"{segment}-") for page in pages) == int(number) + 1


class FrozenLists:
    """The lists of runs. What is frozen stays as it is: a list that was read whole is not read again."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._whole: dict[str, Frozen] = {}

    def run(self, files: RunFiles) -> Run:
        """The run itself."""
        return _run.decode(self._stores.objects.read(f"{files.prefix}/run.json") or b"")

    def frozen(self, files: RunFiles) -> Frozen:
        """How far its list is. Of one run at a time the names of all on it are in memory: some 80 bytes a person."""
        found = self._whole.get(files.source) or self._read(files)
        if found.is_whole:
            self._whole[files.source] = found
        return msgspec.structs.replace(found, enqueued=files.enqueued, awaits_approval=files.awaits_approval)

    def _read(self, files: RunFiles) -> Frozen:
        run, names = self.run(files), Names()
        seen: set[int] = set()
        twins: set[int] = set()
        last_pages: list[str] = []
        for name, page in self._pages(files):
            if not page.next_key:
                last_pages.append(name)
            for send_id in self._send_ids(run, page):
                if (number := number_of(send_id)) in seen:
                    twins.add(number)
                else:
                    seen.add(number)
                    names = names.with_name(send_id)
        still_open = run.scan_segments - sum(_is_chain(last, files.pages) for last in last_pages)
        return Frozen(names, len(files.pages), 0, run.scan_segments, still_open, frozenset(twins))

    def _send_ids(self, run: Run, page: _Page) -> Iterator[str]:
        account = self._stores.settings.account
        return (send_id_in(run, one.line_user_id, account) for one in page.recipients)

    def people(self, files: RunFiles) -> Iterator[Person]:
        """Everybody on the list, as far as it is frozen, in the order of its pages."""
        run, account = self.run(files), self._stores.settings.account
        for _, page in self._pages(files):
            for one in page.recipients:
                send_id = send_id_in(run, one.line_user_id, account)
                yield Person(one.customer_id, send_id, log_key(one.customer_id, run.made_at, send_id))

    def _pages(self, files: RunFiles) -> Iterator[tuple[str, _Page]]:
        names = iter(files.pages)
        with ThreadPoolExecutor(READERS) as pool:
            while window := list(islice(names, READERS)):
                keys = (f"{files.prefix}/pages/{name}.json" for name in window)
                for name, body in zip(window, pool.map(self._stores.objects.read, keys), strict=True):
                    if body is None:
                        raise UserError(
                            f"Page {name} of {files.source} was listed and cannot be read; ask again."
                        )
                    yield name, _page.decode(body)
