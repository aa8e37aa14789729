"""What an operator runs: the command, the local environment and its LINE sandbox."""
