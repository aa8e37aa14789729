"""The production flows against fakes, under a virtual clock."""
