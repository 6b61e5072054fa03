"""Settings that every test of the repository shares."""

from hypothesis import settings

# The same examples in every run, and no deadline: a busy machine must not turn a test red.
settings.register_profile("mesogun", deadline=None, derandomize=True)
settings.load_profile("mesogun")
