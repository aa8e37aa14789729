"""Serverless LINE × CRM lifecycle messaging: this package is the Lambda bundle."""
