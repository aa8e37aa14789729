"""Erasures under way, and the proofs of those that are done, under `erasures/` in the bucket.

What is under way names the person, for it must be able to go on after a crash. It goes, in all its versions, when the proof
is written, which names nobody.
"""

import hashlib
import json
from typing import Any

import msgspec
from itsdangerous import Signer

from functions.aws.secrets import SecretField
from functions.domain.erasure import Erasure, hashed
from functions.domain.instants import format_instant
from ops.stores import Stores

OPEN, PROOFS = "erasures/open/", "erasures/proofs/"
SALT = "musubi.erasure.proof"
_erasure = msgspec.json.Decoder(Erasure)


def key_of(stores: Stores) -> str:
    """The secret under which ids are hashed and proofs are signed."""
    return SecretField(
        stores.target.client("secretsmanager"), stores.settings.secret_erasure, "erasure_key"
    )()


class Kept:
    """The erasures of one deployment."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def write(self, erasure: Erasure) -> Erasure:
        """Note how far it is."""
        self._stores.objects.write(f"{OPEN}{erasure.erasure_id}.json", msgspec.json.encode(erasure))
        return erasure

    def open(self) -> list[Erasure]:
        """Those under way, the oldest first."""
        bodies = [self._stores.objects.read(key) for key in self._stores.objects.keys(OPEN)]
        return [_erasure.decode(body) for body in bodies if body is not None]

    def find(self, erasure_id: str) -> Erasure | None:
        """One that is under way."""
        body = self._stores.objects.read(f"{OPEN}{erasure_id}.json")
        return None if body is None else _erasure.decode(body)

    def finish(self, erasure: Erasure, proof: dict[str, Any]) -> None:
        """Keep the proof, unless there is one; then let go of what names the person."""
        self._stores.objects.write_new(f"{PROOFS}{erasure.erasure_id}.json", json.dumps(proof).encode())
        s3, bucket = self._stores.target.client("s3"), self._stores.settings.bucket
        key = f"{OPEN}{erasure.erasure_id}.json"
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
        versions = [one for page in pages for one in page.get("Versions", [])]
        # The newest last: as long as any is left, the erasure is under way, and a crash leaves none behind.
        for one in sorted(versions, key=lambda one: bool(one["IsLatest"])):
            named = {} if one["VersionId"] == "null" else {"VersionId": one["VersionId"]}
            s3.delete_object(Bucket=bucket, Key=key, **named)

    def proof(self, erasure_id: str) -> dict[str, Any] | None:
        """The proof of one that is done."""
        body = self._stores.objects.read(f"{PROOFS}{erasure_id}.json")
        return None if body is None else json.loads(body)

    def proofs(self) -> list[dict[str, Any]]:
        """Every proof, the oldest first."""
        bodies = [self._stores.objects.read(key) for key in self._stores.objects.keys(PROOFS)]
        return [json.loads(body) for body in bodies if body is not None]


def proof_of(erasure: Erasure, key: str, done_at: Any) -> dict[str, Any]:
    """What was done, signed: `signature` is over the rest in canonical JSON. Names nobody."""
    stated = {
        "erasure": erasure.erasure_id,
        "asked_at": format_instant(erasure.at),
        "done_at": format_instant(done_at),
        "by": erasure.by,
        "why": erasure.person.words.sub("erased", erasure.why),
        "removed": erasure.counts,
        "ids": [hashed(key, identity) for identity in erasure.person.identities],
    }
    return {**stated, "signature": _signature(stated, key)}


def is_genuine(proof: dict[str, Any], key: str) -> bool:
    """Whether this deployment has signed just this."""
    stated = {name: value for name, value in proof.items() if name != "signature"}
    signer = _signer(key)
    return signer.verify_signature(_canonical(stated), str(proof.get("signature", "")))


def _signature(stated: dict[str, Any], key: str) -> str:
    return _signer(key).get_signature(_canonical(stated)).decode()


def _signer(key: str) -> Signer:
    return Signer(key, salt=SALT, digest_method=hashlib.sha256)


def _canonical(stated: dict[str, Any]) -> bytes:
    return json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()
