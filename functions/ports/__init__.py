"""What the flows need of the world outside, a module a subject."""
