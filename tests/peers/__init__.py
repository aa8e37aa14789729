"""What others who do this job get wrong, each as a test that fails where we get it wrong too.

One module a lesson, `test_<number>_<what>.py`; each test's docstring says the bug in a sentence, and whose it is.
"""
