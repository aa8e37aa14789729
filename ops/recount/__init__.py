"""The KPIs once more, without SQL: what reports say is held against a plain count of what happened."""
