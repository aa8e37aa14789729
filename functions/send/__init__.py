"""The send protocol."""
