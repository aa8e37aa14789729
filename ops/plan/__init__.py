"""`musubi plan`: what a playbook would send in the coming days, to the customers there are, by the code that sends.

A forecast is no model beside the product: for each customer, in memory, the functions that run in production are
called at every instant at which something falls due, and what they would send is counted.
"""
