"""What holds for all tests."""

from hypothesis import settings

# A property says what is true, not how fast: machines are shared, and a pause of theirs is no counterexample.
settings.register_profile("homeroom", deadline=None)
settings.load_profile("homeroom")
