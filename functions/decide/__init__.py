"""Fold, journeys, intents."""
