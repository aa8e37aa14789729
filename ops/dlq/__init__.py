"""`musubi dlq`: dead letters, looked through and put back."""
