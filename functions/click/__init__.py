"""Tracked links: a tap leads on to the shop, and is told of."""
