"""The account's rich menus, and who sees which."""

from collections.abc import Iterable
from typing import Annotated

import msgspec


class RichMenu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rich menu that was made. Without an image it cannot be linked."""

    rich_menu_id: Annotated[str, msgspec.Meta(min_length=1)]
    has_image: bool = True


class MenuBook:
    """All rich menus by id, and the users' own. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._menus: dict[str, RichMenu] = {}
        self.linked: dict[str, str] = {}

    def register(self, menus: Iterable[RichMenu]) -> None:
        """Add menus, or replace those with the same id."""
        self._menus.update((menu.rich_menu_id, menu) for menu in menus)

    def find(self, rich_menu_id: str) -> RichMenu | None:
        """The menu, or None where there is none."""
        return self._menus.get(rich_menu_id)

    def everything(self) -> list[RichMenu]:
        """All menus, in the order of registration."""
        return list(self._menus.values())

    def link(self, user_id: str, rich_menu_id: str) -> None:
        """The user sees this menu from now on."""
        self.linked[user_id] = rich_menu_id

    def unlink(self, user_id: str) -> None:
        """The user sees the account's default again."""
        self.linked.pop(user_id, None)

    def clear(self) -> None:
        """Forget everything."""
        self._menus.clear()
        self.linked.clear()
