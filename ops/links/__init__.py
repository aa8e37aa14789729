"""`musubi links`: who is who, what waits for somebody's decision, and taking a merge back."""
