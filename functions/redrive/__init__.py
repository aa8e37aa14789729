"""Dead letters: looked through, and put back."""
