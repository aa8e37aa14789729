"""The storm: thousands of sends on the embedded engine, under faults of LINE's, while workers are killed."""
