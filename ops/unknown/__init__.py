"""`musubi unknown`: messages of which nobody knows whether they arrived, and what a person says of them."""
