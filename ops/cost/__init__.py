"""`musubi cost`: a month's bill, from the price table and the measured counts."""
