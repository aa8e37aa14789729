"""The proof that a stack may be updated, and rolled back, while messages are under way."""
