"""Campaign runs."""
