"""CRM events in."""
