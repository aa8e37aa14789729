"""`musubi doctor`: what is missing on this machine or in a deployment, and how to mend each."""
