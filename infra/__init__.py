"""The AWS stack: app.py runs it, stack.py composes it, one construct a function."""
