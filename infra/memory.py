"""How much memory each function has, in MB; with it comes processor time, a whole core at 1,769 MB.

Chosen by what `make bench` measures and the rule in ops/bench/memory_size.py: docs/performance.md, "Cold and warm", has the
table that they follow from, and the benchmark fails where a function would no longer fit, or be too slow.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MEMORY_MB: Final[Mapping[str, int]] = MappingProxyType(
    {
        "webhook": 512,
        "ingest": 512,
        "link": 1024,
        "click": 1024,
        "decide": 512,
        "send": 512,
        "tick": 512,
        "insight": 256,
        "facts": 256,
        "redrive": 512,
        "evaluate": 1024,
        "load": 1024,
        # Two cores, which Lambda gives from 1,769 MB each; DuckDB takes 1,500 MB of it and spills what is more.
        "measure": 3_538,
    }
)
