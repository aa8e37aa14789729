"""`python -m ops.supply.leaks [--write]`: nothing in the checkout looks like a secret, but for what was looked at.

detect-secrets finds them; .secrets.baseline keeps the hashes of those that are none: made-up tokens of tests and of the
LINE sandbox. A hash knows a value wherever its line has moved to, so that edits around it change nothing.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from detect_secrets.__version__ import VERSION
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from infra.bundle import ROOT

BASELINE: Final = ".secrets.baseline"
# Of the 27 detectors those for what this project touches: each one costs a look at every line.
DETECTORS: Final = (
    {"name": "AWSKeyDetector"},
    {"name": "Base64HighEntropyString", "limit": 4.5},
    {"name": "BasicAuthDetector"},
    {"name": "GitHubTokenDetector"},
    {"name": "HexHighEntropyString", "limit": 3.0},
    {"name": "JwtTokenDetector"},
    {"name": "KeywordDetector"},
    {"name": "NpmDetector"},
    {"name": "PrivateKeyDetector"},
    {"name": "PypiTokenDetector"},
    {"name": "SlackDetector"},
)
SPARED: Final = ("requirements/*.txt", "package-lock.json", "*.svg", "tests/stored/fixtures/*/*", BASELINE)
"""Hashes of packages, paths of pictures, and hashes of a playbook's parts that `make stored` writes of made-up values."""
SEEN: Final = "build/leaks.json"
KEYWORD: Final = "Secret Keyword"
PROCESSES: Final = 2
HOW_TO_MEND: Final = (
    "A real one: take it out, and replace it where it is valid, for it counts as known. None: end its line with\n"
    "'pragma: allowlist secret' in a comment, or run `make secrets` and look at what that changes."
)


class Leak(NamedTuple):
    """Something that looks like a secret; `hashed` is all that is ever shown or kept of it."""

    file: str
    line: int
    kind: str
    hashed: str


def tracked(root: Path = ROOT) -> list[str]:
    """All files that git has or would take, but for the spared ones."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    there = (one for one in names if one and (root / one).is_file())
    return [one for one in there if not any(Path(one).match(spared) for spared in SPARED)]


def leaks_in(root: Path, files: list[str]) -> Iterator[Leak]:
    """Whatever looks like a secret in these files, in order."""
    settings = {"plugins_used": list(DETECTORS)}
    with transient_settings(settings):
        found = SecretsCollection(root=str(root))
        found.scan_files(*files, num_processors=PROCESSES)
    for name, one in sorted(found, key=lambda pair: (pair[0], pair[1].line_number)):
        if not _is_a_word(one):
            yield _leak(name, one)


def _is_a_word(one: PotentialSecret) -> bool:
    """Beside the word "secret" our own source names fields and settings all along; a password worth keeping has a digit."""
    return one.type == KEYWORD and not any(sign.isdigit() for sign in one.secret_value or "")


def _leak(name: str, one: PotentialSecret) -> Leak:
    return Leak(name, one.line_number, one.type, one.secret_hash)


def remembered(root: Path, files: list[str]) -> list[Leak]:
    """The same, looking only at files that have changed since the last time on this machine."""
    rules = repr((VERSION, DETECTORS))
    digests = {
        name: hashlib.sha256(rules.encode() + (root / name).read_bytes()).hexdigest() for name in files
    }
    seen = _seen(root)
    changed = [name for name in files if seen.get(name, ("",))[0] != digests[name]]
    found: dict[str, list[Leak]] = {name: [] for name in changed}
    for one in leaks_in(root, changed) if changed else ():
        found[one.file].append(one)
    now = {name: (digests[name], found[name] if name in found else seen[name][1]) for name in files}
    (root / SEEN).parent.mkdir(exist_ok=True)
    (root / SEEN).write_text(json.dumps(now), encoding="utf-8")
    return [one for _, leaks in now.values() for one in leaks]


def _seen(root: Path) -> dict[str, tuple[str, list[Leak]]]:
    """What was found in which bytes; nothing where nobody has looked yet, or the file is no such thing."""
    try:
        read = json.loads((root / SEEN).read_text(encoding="utf-8"))
        return {name: (digest, [Leak(*one) for one in leaks]) for name, (digest, leaks) in read.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def known(root: Path = ROOT) -> set[tuple[str, str]]:
    """File and hash of what was looked at and is no secret."""
    read = json.loads((root / BASELINE).read_text(encoding="utf-8"))
    return {(name, hashed) for name, hashes in read.items() for hashed in hashes}


def write(root: Path, found: list[Leak]) -> None:
    """Take all that is found into the baseline, and out what is gone."""
    kept = {
        name: sorted({one.hashed for one in found if one.file == name})
        for name in {one.file for one in found}
    }
    (root / BASELINE).write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main(arguments: list[str], root: Path = ROOT) -> int:
    """1 and a line for each new one; `--write` takes what there is for looked at."""
    found = remembered(root, tracked(root))
    if "--write" in arguments:
        write(root, found)
        return 0
    looked_at = known(root)
    new = [one for one in found if (one.file, one.hashed) not in looked_at]
    for one in new:
        print(f"{one.file}:{one.line}: looks like a secret ({one.kind})", file=sys.stderr)
    if new:
        print(HOW_TO_MEND, file=sys.stderr)
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
