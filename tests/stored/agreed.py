"""Differences between two formats that both bear, with the reason; by the number of the later format."""

AGREED: dict[int, dict[str, str]] = {
    2: {
        "Profile.consent was "
        '{"additionalProperties": {"$ref": "#/$defs/Register"}, "type": "object"} and is '
        '{"additionalProperties": {"$ref": "#/$defs/ConsentRegister"}, "type": "object"}': (
            "A ConsentRegister is a Register with two more fields at its end, each with a default: a list of three is read as "
            "one without them, and of a list of five the first three."
        ),
    },
}
