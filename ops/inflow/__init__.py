"""Sources that friends come by, and the pictures that lead them."""
