"""Measuring: what is derived of facts, held against computations that know nothing of it."""
