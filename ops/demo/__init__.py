"""The demo: the main job, end to end, on real purchase data and the embedded engine."""
