"""What the measured web server serves: the product, and the yardstick beside it."""

import os

from django.conf import settings

from config.wsgi import application as application

settings.ROOT_URLCONF = os.environ["BENCH_URLS"]
settings.ALLOWED_HOSTS = ["127.0.0.1"]
