"""The embedded engine: AWS on one machine, in an environment and a process group of its own."""
