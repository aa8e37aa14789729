"""What is stored, as code of each format writes it, and what has to be true from one format to the next."""
