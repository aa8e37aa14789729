"""`musubi rejects`: events that were not taken in, looked through, mended and put in again."""
