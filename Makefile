PYTHON ?= python3
UV ?= uv

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROXIES := $(VENV)/proxies
REDIS := $(VENV)/redis/.fetched
CHROMIUM := $(VENV)/chromium/.found
DEMO := demo
TYPED := src tests examples scripts $(wildcard bench)

.DEFAULT_GOAL := help
.PHONY: help venv run test suite check chaos bench screenshots lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

venv: $(STAMP) ## Create .venv with everything that development needs

$(STAMP): requirements-dev.lock pyproject.toml scripts/venv.sh
	@PYTHON='$(PYTHON)' sh scripts/venv.sh $(VENV)
	@touch $@

run: $(STAMP) ## Start a server with the services of examples/ and its web admin, in the folder demo/
	@BIN='$(BIN)' sh scripts/demo.sh $(DEMO) $(if $(PORT),--port $(PORT))
	@sed 's|demo|$(DEMO)|g' examples/NEXT.txt
	@sh scripts/log_in.sh $(DEMO)
	@exec $(BIN)/zato start $(DEMO) $(if $(PORT),--port $(PORT))

test: $(STAMP) $(PROXIES) $(REDIS) $(CHROMIUM) ## Run all checks and, beside them, all tests with coverage
	@$(MAKE) --no-print-directory --jobs=2 check suite

suite:
	$(BIN)/pytest --cov --session-timeout=2400 --numprocesses=4 --dist=loadfile --no-loadscope-reorder

$(PROXIES): scripts/proxies.sh scripts/debian.sh | $(STAMP)
	@sh scripts/proxies.sh $@
	@touch $@

$(REDIS): scripts/redis.sh scripts/debian.sh | $(STAMP)
	@PYTHON='$(BIN)/python' sh scripts/redis.sh $(@D)
	@touch $@

$(CHROMIUM): scripts/chromium.sh | $(STAMP)
	@sh scripts/chromium.sh $(@D)
	@touch $@

check: $(STAMP) ## Check format, style, types, layers and links
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tests/architecture/check_docs.py
	$(BIN)/python scripts/make_reference.py --check

chaos: $(STAMP) $(PROXIES) $(REDIS) ## Break servers at random under load, with options in CHAOS= ('--minutes 3 --seed 7')
	PYTHONPATH=. $(BIN)/python -m tests.chaos.run $(CHAOS)
	PYTHONPATH=. $(BIN)/python -m tests.cluster.rolling

bench: $(STAMP) $(REDIS) $(CHROMIUM) ## Measure, and print the results as ratios, with options in BENCH=
	$(BIN)/python -m bench.run $(BENCH)

screenshots: $(STAMP) $(CHROMIUM) ## Take pictures of every page of the web admin, into build/screenshots
	PYTHONPATH=. $(BIN)/python scripts/screenshots.py $(SCREENSHOTS)

lock: ## Resolve all dependencies anew and write requirements*.lock
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: 'pip install uv', or name it with UV=/path/to/uv" >&2; exit 1; }
	$(UV) pip compile $(LOCK) pyproject.toml --output-file requirements.lock
	$(UV) pip compile $(LOCK) --group dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command 'make lock'

clean: ## Remove .venv, caches and reports; demo/ stays
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
