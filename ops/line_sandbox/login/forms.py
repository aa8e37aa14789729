"""Reading what browsers and servers post: forms, each field once."""

from urllib.parse import parse_qsl

from ops.line_sandbox.calls import Request

FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 40


def read_form(request: Request) -> dict[str, str] | None:
    """The fields that are not empty; None for anything but a form that names each field once."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    try:
        pairs = parse_qsl(request.body.decode("utf-8"), max_num_fields=FIELDS_MAX)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None
