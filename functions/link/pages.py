"""The pages: Jinja2 with everything escaped, one style within each page, all words in Japanese and English."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from functions.link.answers import Lang
from functions.link.words import WORDS

TEMPLATES = Path(__file__).parent / "templates"


class JinjaPages:
    """The pages port. Templates are read once a process."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = (TEMPLATES / "style.css").read_text(encoding="utf-8")

    def page(self, name: str, lang: Lang, values: Mapping[str, Any]) -> str:
        """One page as HTML, every value escaped."""
        words = {key: said[lang] for key, said in WORDS.items()}
        # The style is ours, and its hash in the policy is that of these very bytes.
        style = Markup(self._style)  # noqa: S704
        template = self._environment.get_template(f"{name}.html")
        return template.render(**values, words=words, style=style)

    def style_hash(self) -> str:
        """base64(SHA-256), as a content security policy names what stands between the style's tags."""
        return base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()

    def script(self) -> str:
        """The LIFF page's own script."""
        return _script()


@cache
def _script() -> str:
    return (TEMPLATES / "liff.js").read_text(encoding="utf-8")
