# `make demo` and `make test` need Python 3.11 or newer, make and a package index, `make test` one for
# npm too; nothing else.
PYTHON ?= python3
DEMO := .venv
TEST := .venv-test

# An environment is rebuilt from nothing when its pins or the project's own file change.
demo_ready := $(DEMO)/ready-$(shell cat requirements/demo.txt pyproject.toml | cksum | cut -d' ' -f1)
pins := $(addprefix requirements/,test.txt unresolved.txt detectron2/install.py azurite/package-lock.json)
test_ready := $(TEST)/ready-$(shell cat $(pins) pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: help demo test torture lint bench docs notebooks clean env env-test lock

help:           ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: env       ## find and repair wrong labels in a real data set, in a minute
	$(DEMO)/bin/tlc demo

test: env-test  ## pass every test, those of the promises at their small size
	$(TEST)/bin/python -m coverage erase
	$(TEST)/bin/python -m coverage run -m pytest -n auto --dist loadfile --ignore=tests/reliability
	$(TEST)/bin/python -m coverage combine --quiet
	$(TEST)/bin/python -m coverage report --skip-covered --fail-under=97
	$(TEST)/bin/python -m pytest -n auto --dist loadfile tests/reliability

torture: env-test ## kill, cut, fill, race and mutate at full size: an hour
	TLC_TORTURE=1 $(TEST)/bin/python -m pytest -n auto --dist loadfile --timeout=7200 tests/reliability

lint: env-test  ## formatting, lint, types, import contracts
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/ruff check .
	$(TEST)/bin/mypy
	$(TEST)/bin/pyright
	$(TEST)/bin/python -m pytest -q tests/repo

bench: env-test ## measure against peers and print the ratios
	$(TEST)/bin/python -m benchmarks

docs: env-test  ## build the documentation as a site: open site/index.html
	NO_MKDOCS_2_WARNING=1 $(TEST)/bin/mkdocs build --strict --quiet

notebooks: env-test ## run the notebooks, and store what they print and draw
	$(TEST)/bin/python -m notebooks

clean:          ## remove environments, caches and builds
	rm -rf $(DEMO) $(TEST) .tree build dist site .coverage* .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

env: $(demo_ready)      ## set up the environment of the demo
env-test: $(test_ready) ## set up the environment of the tests

$(demo_ready) $(test_ready): | check-python
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r requirements/$(if $(findstring test,$(@D)),test,demo).txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(if $(findstring test,$(@D)),$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements/unresolved.txt)
	$(if $(findstring test,$(@D)),$(@D)/bin/python requirements/detectron2/install.py)
	$(if $(findstring test,$(@D)),$(@D)/bin/python requirements/azurite/install.py $(@D)/azurite)
	$(@D)/bin/python -m compileall -q $(@D)/lib >/dev/null || true
	touch $@

.PHONY: check-python
check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tlc needs Python 3.11 or newer; name one with: make PYTHON=python3.11 ..."; exit 1; }

lock:           ## pin the newest versions that the .in files allow
	sh requirements/lock.sh $(PYTHON)
