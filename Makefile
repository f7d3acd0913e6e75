# Everything a person or CI does with Steadyback. docs/setup.md says more.
#
# Needs Python 3.11 to 3.14 and make; PORT=8001 chooses the port of the demo,
# PYTHON=/path/to/python the Python that makes .venv.

PORT ?= 8000
export PORT PYTHON

PY = .venv/bin/python
TESTING = STEADYBACK_TESTING=1
# Every core works; the tests of one file stay together, and the longest come first.
AT_ONCE = -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
# Python writes a line per problem; what has no problem stays silent.
LINT_IMPORTS = -c "import sys; from importlinter.cli import lint_imports_command as run; run()"

.PHONY: help demo test lint coverage bench faults screenshots words lock clean environment

help:
	@echo "make demo         a whole practice with made-up people on http://localhost:$(PORT)"
	@echo "make test         every check and every test"
	@echo "make lint         the checks without the tests"
	@echo "make coverage     every test, and which lines none of them reached"
	@echo "make bench        every figure of docs/benchmarks.md against its yardstick; half an hour or so"
	@echo "make faults       everything that can break breaks, at full size; ten minutes or so"
	@echo "make screenshots  the pictures in docs/screenshots"
	@echo "make words        bring the catalogue of translations up to the sources; names what is open"
	@echo "make lock         compile requirements/*.in again"
	@echo "make clean        remove .venv and var, with the demo's data"

demo:
	@sh requirements/install.sh production
	@exec $(PY) -m config.demo

environment:
	@sh requirements/install.sh dev

lint: environment
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(TESTING) $(PY) $(LINT_IMPORTS)
	@$(PY) -m mypy

# The embedded servers of the tests stop by themselves soon after the last test; stopping them
# here as well means that nothing is left when make returns, whatever the outcome.
test: environment
	@$(PY) -m tests.browser --ensure
	@$(MAKE) --no-print-directory lint
	@code=0; $(TESTING) $(PY) -m pytest $(AT_ONCE) || code=$$?; \
	    $(TESTING) $(PY) -m config.services stop; exit $$code

# The same tests with a look at which lines they reached; that look costs them a fifth more time.
coverage: environment
	@$(PY) -m tests.browser --ensure
	@code=0; $(TESTING) $(PY) -m pytest $(AT_ONCE) --cov --cov-report=term:skip-covered || code=$$?; \
	    $(TESTING) $(PY) -m config.services stop; exit $$code

# On servers of its own that write to the disk; ONLY="name name" measures some of the rows.
bench: environment
	@$(PY) -m tests.benchmarks $(foreach name,$(ONLY),--only $(name))

# The same drill as in the tests, as large as the promise; then with misbehaving carriers, then
# without Redis, then a thousand STOPs.
faults: environment
	@$(PY) -m tests.faults.drill --reminders 50000 --workers 8 --kills 20 --pg-restarts 3 \
	    --redis-kills 3
	@$(PY) -m tests.faults.drill --reminders 10000 --workers 8 --kills 5 --pg-restarts 1 \
	    --redis-kills 1 --seconds 40 --troubles
	@$(PY) -m tests.faults.drill --reminders 50000 --workers 8 --kills 5 --pg-restarts 1 --redis-off
	@code=0; STEADYBACK_STOP_RACES=1000 $(TESTING) $(PY) -m pytest -m fault \
	    --deselect tests/faults/test_drill.py || code=$$?; \
	    $(TESTING) $(PY) -m config.services stop; exit $$code

screenshots: environment
	@$(PY) -m tests.browser --ensure
	@code=0; $(TESTING) $(PY) -m tests.screenshots || code=$$?; \
	    $(TESTING) $(PY) -m config.services stop; exit $$code

words: environment
	@$(TESTING) DJANGO_SETTINGS_MODULE=config.settings $(PY) -m tests.catalogue

COMPILE = ../$(PY) -m uv pip compile --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --quiet

# dev holds all the others, so its choices bind them. UPGRADE=--upgrade takes newer versions.
lock: environment
	@cd requirements && $(COMPILE) $(UPGRADE) dev.in -o dev.txt
	@cd requirements && $(COMPILE) -c dev.txt production.in -o production.txt
	@cd requirements && $(COMPILE) -c dev.txt base.in -o base.txt

clean:
	@[ ! -x $(PY) ] || $(PY) -m config.services stop
	@rm -rf .venv var
