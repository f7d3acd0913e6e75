"""Test processes side by side: each has a Redis number of its own, as it has a database.

Loaded by pytest before the settings are read. pytest-django gives the databases.
"""

import os
import re

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def _own_redis(number: int) -> str:
    from config import services

    address = os.environ.get("REDIS_URL") or services.redis_url()
    return re.sub(r"/\d*$", "", address) + f"/{number}"


if _WORKER.startswith("gw"):
    # 0 is left to whoever runs the tests; a Redis has sixteen numbers.
    os.environ["REDIS_URL"] = _own_redis(int(_WORKER[2:]) % 15 + 1)
