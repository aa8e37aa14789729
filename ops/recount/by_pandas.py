"""Every KPI once more, in pandas, from the facts as they happened and nothing that Musubi derives of them."""

import datetime as dt
from collections.abc import Callable
from functools import cache

from ops.recount.business import Business
from ops.recount.known import Known
from ops.recount.scoped import Asked, Values
from ops.recount.sending import Sending


class ByPandas(Known):
    """All that there is to know, and every KPI of it."""

    def kpi(
        self,
        name: str,
        first: dt.date,
        last: dt.date,
        kind: str,
        goal: str = "",
    ) -> Values:
        """A KPI by its id, for every scope of a kind."""
        asked = Asked(self, first, last, kind, goal or next(iter(self.measure.goals)))
        group = Sending(asked) if hasattr(Sending, name) else Business(asked)
        told: Callable[[], Values] = getattr(group, name)
        return told()

    @cache  # noqa: B019 — as long as the demo
    def as_of(self, day: dt.date) -> "ByPandas":
        """What was known by the end of a day. A message costs what it costs now, and who is in a
        segment is who is in it now."""
        then = self.happened.until(day, self.book.zone)._replace(memberships=self.happened.memberships)
        return ByPandas(then, self.book, self.yen_each)
