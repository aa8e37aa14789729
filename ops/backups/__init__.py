"""`musubi backups`: the tables kept aside, and put back after a loss without anything being said twice."""
