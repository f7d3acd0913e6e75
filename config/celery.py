"""The Celery application; its tasks live in the rooms they belong to."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("steadyback")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class Watch(bootsteps.StartStopStep):
    """Every worker has a watch at its side that sends when no wake-up comes from the queue.

    A process of its own: the worker forks, and what forks must not have threads that send.
    """

    requires = {"celery.worker.components:Timer"}
    _stop_within_s = 25
    _pause_s = 1.0

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()

    def start(self, worker: Any) -> None:
        # A thread that only waits: without a broker nothing else of a worker runs that could
        # notice a watch that was killed.
        threading.Thread(target=self._keep, name="watch", daemon=True).start()

    def _keep(self) -> None:
        manage = Path(__file__).resolve().parent.parent / "manage.py"
        while not self._over.is_set():
            self._process = subprocess.Popen([sys.executable, str(manage), "send_due", "--watch"])
            if self._over.is_set():
                self._process.terminate()
            self._process.wait()
            self._over.wait(self._pause_s)

    def stop(self, worker: Any) -> None:
        self._over.set()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self._stop_within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    terminate = stop


app.steps["worker"].add(Watch)
