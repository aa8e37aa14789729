"""Models fitted offline: `musubi models`."""
