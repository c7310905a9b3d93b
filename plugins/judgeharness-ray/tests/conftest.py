"""Before Ray is imported, which reads its environment then."""

import os

# A token would be written to the home of whoever runs the tests.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
