"""The steady soak: a shop's ordinary load on the embedded engine for half an hour, and what it leaves behind."""
