#!/usr/bin/env python
"""Run a Django command of the practice."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # What is missing, without the forty lines through which Python found it.
        sys.exit(str(error))


if __name__ == "__main__":
    main()
