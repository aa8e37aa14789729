"""`musubi export`: everything that is held of one person."""
