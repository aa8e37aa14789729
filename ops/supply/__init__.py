"""What the project is made of beside its own lines: its packages, their licences, their known faults; and no secrets."""
