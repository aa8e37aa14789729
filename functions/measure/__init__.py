"""measure: what came of the messages, once a day."""
