"""LINE's own figures, fetched once a day into the facts."""
