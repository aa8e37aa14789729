"""Every port in memory, behaving as the real one does: the contract suite in tests/aws runs against both."""
