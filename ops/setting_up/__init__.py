"""A new account's configuration (`musubi init`), and which accounts a deployment file has (`musubi accounts`)."""
