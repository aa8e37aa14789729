"""The Messaging API's rich menus of single users: link, unlink, ask. The menus themselves are made by control."""

from urllib.parse import unquote

from ops.line_sandbox.answers import Answer, refused
from ops.line_sandbox.calls import Call
from ops.line_sandbox.friends import is_recipient_id
from ops.line_sandbox.world import World

NOT_FOUND = "Not found"
INVALID_USER = "The value for the 'userId' parameter is invalid"
WITHOUT_IMAGE = "must upload richmenu image before applying it to user"
WITHOUT_MENU = "the user has no richmenu"


def link(world: World, call: Call) -> Answer:
    """200 with `{}`, again and again; 400 for what is no user id or a menu without an image, 404 for no menu.

    Who is no friend gets no menu, and LINE answers 200 all the same.
    """
    _check_user(call)
    rich_menu_id = unquote(call.request.path.rpartition("/")[2])
    with world.lock:
        menu = world.rich_menus.find(rich_menu_id)
        if menu is None:
            raise refused(404, NOT_FOUND)
        if not menu.has_image:
            return Answer(400, {"message": WITHOUT_IMAGE, "details": []})
        friend = world.friends.find(call.user_id)
        if friend is not None and friend.state == "friend":
            world.rich_menus.link(call.user_id, rich_menu_id)
    return Answer(200, accepted=True)


def unlink(world: World, call: Call) -> Answer:
    """200 with `{}`, whether there was a menu or not."""
    _check_user(call)
    with world.lock:
        world.rich_menus.unlink(call.user_id)
    return Answer(200, accepted=True)


def of_user(world: World, call: Call) -> Answer:
    """`{richMenuId}`; 404 where the user has none of its own."""
    _check_user(call)
    with world.lock:
        rich_menu_id = world.rich_menus.linked.get(call.user_id)
    if rich_menu_id is None:
        return Answer(404, {"message": WITHOUT_MENU, "details": []})
    return Answer(200, {"richMenuId": rich_menu_id})


def _check_user(call: Call) -> None:
    if not is_recipient_id(call.user_id):
        raise refused(400, INVALID_USER)
