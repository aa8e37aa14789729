"""Raw facts: gzipped lines of JSON, named by what is in them, so that the same rows dropped again change nothing."""

import gzip
import hashlib
from collections.abc import Sequence

from functions.aws.objects import Objects
from functions.domain.fact_rows import encoded
from functions.domain.facts import Fact
from functions.domain.lake import Table


class S3RawFacts:
    """Objects under `facts/raw/<table>/`, which measuring merges and takes away."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def drop(self, table: Table, rows: Sequence[Fact]) -> None:
        """Write rows of one table as one object."""
        body = b"".join(encoded(row) + b"\n" for row in rows)
        name = hashlib.sha256(body).hexdigest()[:32]
        self._objects.write(f"{table.raw_prefix}{name}.jsonl.gz", gzip.compress(body, mtime=0))
