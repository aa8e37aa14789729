"""LINE's own limits on message objects, so that what passes here is not refused there for its form.

Texts count UTF-16 units; action labels and template texts count graphemes; Flex containers count bytes of JSON.
"""

from functions.domain.message_limits.counting import graphemes, utf16_units
from functions.domain.message_limits.objects import MESSAGE, OBJECTS_MAX, content_faults
from functions.domain.message_limits.rules import LimitFault

__all__ = ["MESSAGE", "OBJECTS_MAX", "LimitFault", "content_faults", "graphemes", "utf16_units"]
