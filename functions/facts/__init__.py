"""facts: what the tables' streams tell becomes raw rows in the bucket."""
