"""Whatever comes to the doors: requests that nobody thought of, and what must never come of them."""
