"""The only outbound HTTP to LINE."""
