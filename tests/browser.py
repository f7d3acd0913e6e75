"""Chromium for the browser journeys: ``python -m tests.browser --ensure`` finds or installs it.

Tests take ``launch_arguments()``. A journey without a browser fails, it is never skipped.
"""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGE = "data:text/html,<title>steady</title><p id=p>back</p>"


class NoBrowser(RuntimeError):
    """No Chromium that starts; the message is one sentence."""


@cache
def launch_arguments() -> dict[str, Any]:
    """Arguments for Playwright's ``chromium.launch``; NoBrowser when there is none that starts."""
    reasons = []
    for arguments in _candidates():
        reason = _trouble(arguments)
        if not reason:
            return arguments
        reasons.append(
            f"{arguments.get('executable_path', 'the download of Playwright')}: {reason}"
        )
    raise NoBrowser(
        "No Chromium starts here, and the browser journeys cannot be tested without one ("
        + ("; ".join(reasons) or "none was found")
        + "): install Chromium, or set CHROMIUM=/path/to/chromium."
    )


def ensure() -> dict[str, Any]:
    """Like ``launch_arguments``, but installs Chromium first when there is none."""
    try:
        return launch_arguments()
    except NoBrowser:
        if os.environ.get("CHROMIUM"):
            raise
        print("Installing Chromium for the browser journeys ...", flush=True)
        said = _install()
        try:
            return launch_arguments()
        except NoBrowser as none:
            raise NoBrowser(
                f"Chromium could not be installed ({said}), and the browser journeys cannot be "
                "tested without one: install it, or set CHROMIUM=/path/to/chromium."
            ) from none


def _candidates() -> list[dict[str, Any]]:
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return [{"executable_path": chosen}]
    found: list[dict[str, Any]] = [
        {"executable_path": path} for name in NAMES if (path := shutil.which(name))
    ]
    return [*found, {}]


def _trouble(arguments: dict[str, Any]) -> str:
    """Why this browser does not show a page, in one line; nothing if it does."""
    from playwright.sync_api import Error, sync_playwright

    path = arguments.get("executable_path")
    if path and not os.access(path, os.X_OK):
        return "not a program"
    try:
        with sync_playwright() as playwright:
            if not path and not Path(playwright.chromium.executable_path).exists():
                return "not there"
            browser = playwright.chromium.launch(timeout=60_000, **arguments)
            page = browser.new_page()
            page.goto(PAGE)
            shown = page.inner_text("#p")
            browser.close()
    except (Error, OSError) as error:
        return (str(error).strip().splitlines() or ["no reason given"])[0][:200]
    return "" if shown == "back" else "it does not show a page"


def _install() -> str:
    """By the system's packages as root, otherwise by Playwright's own download. Gives its end."""
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]]
        if not _run(apt)[0]:
            return "by apt-get"
    return _run(commands)[1]


def _run(commands: list[list[str]]) -> tuple[int, str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    said = ""
    for command in commands:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        telling = [line for line in lines if re.search(r"^E:|[Ee]rror:|denied", line)]
        said = (telling or lines or ["no reason given"])[-1][:200]
        if done.returncode:
            return done.returncode, said
    return 0, said


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--ensure"]):
        print("Use: python -m tests.browser [--ensure]", file=sys.stderr)
        return 2
    try:
        found = ensure() if arguments else launch_arguments()
    except NoBrowser as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Browser: {found.get('executable_path', 'Chromium from Playwright')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
