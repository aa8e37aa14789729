"""Benchmarks: each figure beside its budget and beside a baseline that was measured in the same run."""
