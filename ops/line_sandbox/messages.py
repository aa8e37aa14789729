"""Message objects: which types there are, what each must hold and how long it may be."""

from collections.abc import Callable

from ops.line_sandbox.actions import QUICK_REPLY_LABEL, URI_LENGTH_MAX, check_action
from ops.line_sandbox.checks import EMPTY, Part
from ops.line_sandbox.flex import check_container
from ops.line_sandbox.lengths import graphemes
from ops.line_sandbox.templates import check_template

MESSAGES_MAX = 5
TEXT_LENGTH_MAX = 5000
ALT_TEXT_LENGTH_MAX = 1500
ID_LENGTH_MAX = 100
TRACKING_ID_LENGTH_MAX = 100
PLACE_LENGTH_MAX = 100
SENDER_NAME_LENGTH_MAX = 20
QUICK_REPLIES_MAX = 13
IMAGEMAP_ACTIONS_MAX = 50
IMAGEMAP_TEXT_LENGTH_MAX = 400
DELIVERY_TAG_LENGTH_MAX = 30
IMAGEMAP_LABEL_LENGTH_MAX = 100
LINK_LABEL_LENGTH_MAX = 30
LINK_SCHEMES = ("https://", "http://", "line:", "tel:")
EMOJIS_MAX = 20


def check_messages(body: Part) -> None:
    """The `messages` array of a request: one to five message objects."""
    for message in body.children("messages", 1, MESSAGES_MAX):
        check_message(message)


def check_message(message: Part) -> None:
    """One message object with its sender and quick replies."""
    kind = message.one_of("type", MESSAGE_CHECKS)
    if kind:
        MESSAGE_CHECKS[kind](message)
    _check_sender(message)
    _check_quick_reply(message)


def _check_sender(message: Part) -> None:
    sender = message.child("sender", required=False)
    if sender:
        sender.text("name", SENDER_NAME_LENGTH_MAX, required=False)
        sender.url("iconUrl", required=False)


def _check_quick_reply(message: Part) -> None:
    quick_reply = message.child("quickReply", required=False)
    if not quick_reply:
        return
    for item in quick_reply.children("items", 1, QUICK_REPLIES_MAX):
        item.one_of("type", ("action",))
        item.url("imageUrl", required=False)
        action = item.child("action")
        if action:
            check_action(action, QUICK_REPLY_LABEL)


def _check_text(message: Part) -> None:
    text = message.text("text", TEXT_LENGTH_MAX).encode("utf-16-le", "surrogatepass")
    for emoji in message.children("emojis", 0, EMOJIS_MAX):
        _check_emoji(emoji)
        index = emoji.value.get("index")
        if not isinstance(index, int) or text[2 * index : 2 * index + 2] != b"$\0":
            emoji.report("index", "Must be the index of a $ in the text")


def _check_text_v2(message: Part) -> None:
    """What stands for the {names} in a text: mentions and emoji."""
    message.text("text", TEXT_LENGTH_MAX)
    given = message.child("substitution", required=False)
    for one in (given.child(name) for name in given.value) if given else ():
        kind = one.one_of("type", SUBSTITUTION_CHECKS) if one else ""
        if one and kind:
            SUBSTITUTION_CHECKS[kind](one)


def _check_mentionee(mention: Part) -> None:
    mentionee = mention.child("mentionee")
    if mentionee and mentionee.one_of("type", ("user", "all")) == "user":
        mentionee.text("userId", ID_LENGTH_MAX)


def _check_emoji(emoji: Part) -> None:
    emoji.text("productId", ID_LENGTH_MAX)
    emoji.text("emojiId", ID_LENGTH_MAX)


def _check_sticker(message: Part) -> None:
    message.text("packageId", ID_LENGTH_MAX)
    message.text("stickerId", ID_LENGTH_MAX)


def _check_image(message: Part) -> None:
    message.url("originalContentUrl")
    message.url("previewImageUrl")


def _check_video(message: Part) -> None:
    _check_image(message)
    message.text("trackingId", TRACKING_ID_LENGTH_MAX, required=False)


def _check_audio(message: Part) -> None:
    message.url("originalContentUrl")
    message.number("duration", above=0)


def _check_location(message: Part) -> None:
    message.text("title", PLACE_LENGTH_MAX)
    message.text("address", PLACE_LENGTH_MAX)
    message.number("latitude")
    message.number("longitude")


def _check_imagemap(message: Part) -> None:
    message.url("baseUrl")
    message.text("altText", ALT_TEXT_LENGTH_MAX)
    size = message.child("baseSize")
    if size:
        size.number("width", above=0)
        size.number("height", above=0)
    if message.value.get("actions") is None:
        message.report("actions", EMPTY)
    for action in message.children("actions", 0, IMAGEMAP_ACTIONS_MAX):
        _check_imagemap_action(action)
    video = message.child("video", required=False)
    if video:
        _check_imagemap_video(video)


def _check_imagemap_video(video: Part) -> None:
    _check_image(video)
    _check_area(video)
    link = video.child("externalLink", required=False)
    if link:
        link.uri("linkUri", LINK_SCHEMES, URI_LENGTH_MAX)
        link.text("label", LINK_LABEL_LENGTH_MAX, count=graphemes)


def _check_area(part: Part) -> None:
    area = part.child("area")
    if area:
        for name in ("x", "y"):
            area.number(name, above=-1)
        for name in ("width", "height"):
            area.number(name, above=0)


def _check_imagemap_action(action: Part) -> None:
    """An imagemap's actions have names of their own: `linkUri`, a longer text, an area."""
    kind = action.one_of("type", ("uri", "message", "clipboard"))
    if kind == "uri":
        action.uri("linkUri", LINK_SCHEMES, URI_LENGTH_MAX)
    elif kind == "message":
        action.text("text", IMAGEMAP_TEXT_LENGTH_MAX)
    elif kind == "clipboard":
        action.text("clipboardText", URI_LENGTH_MAX)
    action.text("label", IMAGEMAP_LABEL_LENGTH_MAX, required=False, count=graphemes)
    _check_area(action)


def _check_template(message: Part) -> None:
    message.text("altText", ALT_TEXT_LENGTH_MAX)
    template = message.child("template")
    if template:
        check_template(template)


def _check_flex(message: Part) -> None:
    message.text("altText", ALT_TEXT_LENGTH_MAX)
    contents = message.child("contents")
    if contents:
        check_container(contents)


def _check_coupon(message: Part) -> None:
    message.text("couponId", ID_LENGTH_MAX)
    message.text("deliveryTag", DELIVERY_TAG_LENGTH_MAX, required=False)


SUBSTITUTION_CHECKS: dict[str, Callable[[Part], None]] = {"mention": _check_mentionee, "emoji": _check_emoji}
MESSAGE_CHECKS: dict[str, Callable[[Part], None]] = {
    "text": _check_text,
    "textV2": _check_text_v2,
    "sticker": _check_sticker,
    "image": _check_image,
    "video": _check_video,
    "audio": _check_audio,
    "location": _check_location,
    "imagemap": _check_imagemap,
    "template": _check_template,
    "flex": _check_flex,
    "coupon": _check_coupon,
}
