"""Statistics of experiments and holdouts: sums in, verdicts out. Nothing here reads a table, a clock or a dice."""
