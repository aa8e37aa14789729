"""The fault simulator: the production flows in a seeded world, under virtual time and every fault that we know of."""
