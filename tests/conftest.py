"""Hypothesis in two moods: steady, so that a red build speaks of the change, and searching for what nobody thought of.

Nothing has a deadline in milliseconds: a busy machine is no fault.
"""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("MUSUBI_HYPOTHESIS", "steady"))
