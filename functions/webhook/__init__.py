"""LINE webhooks in."""
