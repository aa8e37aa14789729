"""What a link that leads nowhere shows: plain pages in Japanese and English, with nothing of the request in them."""

from typing import Literal

Lang = Literal["ja", "en"]
Trouble = Literal["gone", "unknown", "later"]

_WORDS: dict[Trouble, dict[Lang, tuple[str, str]]] = {
    "gone": {
        "ja": (
            "このリンクの有効期間が終わりました",
            "お手数ですが、いちばん新しいメッセージのリンクからお進みください。",
        ),
        "en": ("This link has expired", "Please use the link in our latest message."),
    },
    "unknown": {
        "ja": (
            "このリンクは使えません",
            "アドレスが途中で切れているかもしれません。トークのメッセージから、もう一度開いてみてください。",
        ),
        "en": (
            "This link does not work",
            "The address may have been cut off. Please open it again from the message in the chat.",
        ),
    },
    "later": {
        "ja": ("ただいま開けません", "少し時間をおいて、もう一度お試しください。"),
        "en": ("We cannot open this right now", "Please try again in a moment."),
    },
}
_PAGE = (
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
    "<title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
)


def page(trouble: Trouble, accept_language: str) -> str:
    """One page as HTML, in the browser's language of the two."""
    lang = _preferred(accept_language)
    title, text = _WORDS[trouble][lang]
    return _PAGE.format(lang=lang, title=title, text=text)


def _preferred(accept_language: str) -> Lang:
    """The first of both that a browser names; English for those who name others only, Japanese for who names none."""
    named = [part.split(";")[0].strip().lower()[:2] for part in accept_language[:200].split(",")]
    if "ja" in named and ("en" not in named or named.index("ja") < named.index("en")):
        return "ja"
    return "en" if any(name.isalpha() for name in named) else "ja"
