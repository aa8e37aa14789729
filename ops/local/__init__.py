"""AWS, LINE and time on one machine: what `musubi local` starts, moves and stops."""
