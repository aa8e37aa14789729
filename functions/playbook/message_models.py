"""messages/*.yaml as pydantic models: what is said, and what stands in for gaps."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from functions.domain.playbook import Kind
from functions.playbook.models import Form
from functions.playbook.quantities import Name, Text

DiscountReason = Literal[
    "first purchase",
    "link reward",
    "cart",
    "review",
    "birthday",
    "win-back",
    "repeat perk",
    "vip",
    "near expiry",
    "rainy day",
]
Wall = Literal["unclear", "tedious", "anxious", "forgotten"]
_SCALARS = ["string", "number", "boolean"]
StandIn = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"type": _SCALARS}, {"type": "array", "items": {"type": "string"}}]}),
]
"""What stands in for a value that is not known."""


class SlotForm(Form):
    """`{context, by}` or `{context, key}`: which fact fills a variable; with neither, the fact of the whole account."""

    context: Name
    """The context fact, as `musubi context set` calls it."""
    by: Name | None = None
    """The attribute of the customer that holds the fact's key (an area, a favourite category)."""
    key: Text | None = None
    """The fact's key itself, the same for everybody."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.by is not None and self.key is not None:
            raise ValueError(
                "by and key exclude each other; write {context: weather, by: area} or {context: weather, key: tokyo}"
            )
        return self


class MessageForm(Form):
    """messages/*.yaml: its kind, LINE's message objects with templates in their texts, and what stands in for gaps."""

    name: Name | None = None
    """The message's name: that of its file."""
    kind: Kind
    """support helps, notification tells of what the customer did or of a date, promotion sells."""
    category: Name | None = None
    """What caps and opt-outs by category call it, such as coupon."""
    content: list[dict[str, Any]] = Field(min_length=1)
    """LINE's message objects, 1 to 5; texts are templates: {{ family_name }}."""
    fallbacks: dict[Name, StandIn] = Field(default_factory=dict)
    """Variable → what stands in for it where it is not known. Every variable has one."""
    slots: dict[Name, SlotForm] = Field(default_factory=dict)
    """Variable → the context fact that fills it (weather, rankings)."""
    track: bool = True
    """Whether its links are tracked, where playbook.yaml tracks links; then everybody's is their own, and none is multicast."""
    removes: Wall | None = None
    """The wall between the customer and the desired action that this message takes away."""
    discount_reason: DiscountReason | None = None
    """Why a discount is right here; needed outside win-back and churn prevention."""

    @field_validator("fallbacks")
    @classmethod
    def _stand_ins(cls, fallbacks: dict[str, Any]) -> dict[str, Any]:
        for name, value in fallbacks.items():
            texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
            if not isinstance(value, str | int | float) and not texts:
                raise ValueError(
                    f"{name} must be a text, a number, true, false or a list of texts; write one"
                )
        return fallbacks
