"""The pure core: frozen values in, decisions out. No I/O, no clock, no randomness, no environment."""
