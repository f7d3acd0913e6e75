#!/bin/sh
# Make .venv with the locked packages of one set: install.sh production|dev
#
# Every complaint is one sentence; what pip said is kept in var/install.log. Only ready-made
# packages are taken, so no compiler is ever needed.
set -eu
cd "$(dirname "$0")/.."
set_name=$1
wanted=requirements/$set_name.txt
venv=.venv/bin/python

fail() {
    echo "$*" >&2
    exit 1
}

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

# --- a Python from 3.11 to 3.14 that can make an environment -----------------------------------
python=
without_venv=
for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14 python; do
    suits "$candidate" || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        python=$candidate
        break
    fi
    without_venv=${without_venv:-$candidate}
done
if [ -z "$python" ] && ! { suits "$venv" && "$venv" -m pip --version >/dev/null 2>&1; }; then
    if [ -n "$without_venv" ]; then
        number=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "Python $number is here but cannot make environments: install its venv module" \
            "(on Debian and Ubuntu: apt install python$number-venv)."
    fi
    found=$(python3 -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null ||
        echo "no python3")
    fail "Steadyback needs Python 3.11 to 3.14 and found $found: install one" \
        "and run make again, with PYTHON=/path/to/python if it has another name."
fi

if [ "$set_name" = production ]; then
    "${python:-$venv}" -P config/ports.py "${PORT:-8000}" || exit 1
fi

# --- a place to write --------------------------------------------------------------------------
if ! { mkdir -p var .venv && : >var/install.log && : >.venv/.writable; } 2>/dev/null; then
    fail "This folder cannot be written by $(id -un): $(pwd)"
fi
rm -f .venv/.writable

# --- the packages ------------------------------------------------------------------------------
for done_before in "$set_name" dev; do
    if suits "$venv" && cmp -s "requirements/$done_before.txt" ".venv/$done_before.installed"; then
        exit 0
    fi
done

if ! { suits "$venv" && "$venv" -m pip --version >/dev/null 2>&1; }; then
    [ -n "$python" ] || fail "The environment in .venv is broken: remove the folder and run again."
    "$python" -m venv --clear .venv >var/install.log 2>&1 ||
        fail "Python could not make the environment in .venv: $(tail -n 1 var/install.log)"
fi

unreachable="The package index could not be reached: check the network or the proxy settings and run make again."
echo "Installing the packages of $wanted (once; a minute or so) ..."
if ! "$venv" -m pip install --disable-pip-version-check --no-input --quiet \
    --require-hashes --only-binary :all: -r "$wanted" >var/install.log 2>&1; then
    missing=$(sed -n 's/.*No matching distribution found for \([^ ]*\).*/\1/p' var/install.log | head -n 1)
    if grep -qiE 'no space left' var/install.log; then
        fail "The disk is full: free about 500 MB and run make again."
    elif grep -qE 'Connection refused|NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|name resolution' var/install.log; then
        fail "$unreachable"
    elif grep -qE 'DO NOT MATCH THE HASHES' var/install.log; then
        fail "A downloaded package is not the one that was locked in $wanted; nothing was installed (see var/install.log)."
    elif [ -n "$missing" ]; then
        # A package that suits every machine tells a missing package from a missing network.
        "$venv" -m pip install --disable-pip-version-check --no-input --quiet --dry-run \
            --ignore-installed --no-deps asgiref >/dev/null 2>&1 || fail "$unreachable"
        fail "There is no ready-made package of $missing for" \
            "$("$venv" -c 'import platform, sys; print(platform.system(), platform.machine(), "with Python %d.%d" % sys.version_info[:2])')," \
            "so Steadyback cannot be set up on this machine (see docs/setup.md)."
    fi
    fail "The packages could not be installed ($(tail -n 1 var/install.log)); see var/install.log."
fi
cp "$wanted" ".venv/$set_name.installed"
