"""Models of customers: evaluated here daily, in closed form; fitted offline by `musubi models fit`."""
