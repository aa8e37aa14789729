"""`python -m ops.openapi`: write docs/openapi.json anew, after a route, a limit or an answer changed."""

from ops.openapi.document import FILE, text


def main() -> None:
    """Write it."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
