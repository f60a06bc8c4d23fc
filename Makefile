# Everything a newcomer runs. `make demo` and `make test` need Python 3.11+ and make; the rest says what it installs.

PYTHON ?= python3
BIN := .venv/bin
TTM := $(BIN)/ttm
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: setup dev demo demo-check test test-elastic test-mail lint types bench bench-search torture browser postgres clean lock help

help:
	@echo "make demo        set up and play two practice nights; pages at http://127.0.0.1:8000, mails at /outbox"
	@echo "make demo-check  the same without staying up; ends with one JSON line"
	@echo "make test        set up and run the tests"
	@echo "make test-elastic  fetch a real Elasticsearch server (Maven, Java 21 or newer) and run the tests of the second engine"
	@echo "make test-mail   install Exim and Dovecot (Debian packages, not started) and run the tests of mail through them"
	@echo "make setup       only make .venv, with .venv/bin/ttm in it"
	@echo "make lint types  style and strict types"
	@echo "make bench       the figures: ratios against a peer measured in the same run"
	@echo "make bench-search  a million generated records, searched by both engines and SQLite; RECORDS=50000 takes minutes"
	@echo "make torture     10,000 alerts under kill -9, restarts, broken lines, a jumping clock, a full disk; forged tokens"
	@echo "make browser     install Chromium for the page tests (Debian packages)"
	@echo "make postgres    install a PostgreSQL server for the store tests (Debian packages)"
	@echo "make lock        resolve the dependencies anew into locks/"

setup: .venv/.runtime
dev: .venv/.dev

.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit("ttm needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.made locks/build.txt locks/runtime.txt pyproject.toml
	$(BIN)/pip install --quiet --require-hashes -r locks/build.txt
	$(BIN)/pip install --quiet --no-build-isolation --require-hashes -r locks/runtime.txt
	$(BIN)/pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

.venv/.dev: .venv/.runtime locks/dev.txt
	$(BIN)/pip install --quiet --no-build-isolation --require-hashes -r locks/dev.txt
	@touch $@

demo: setup
	$(TTM) demo

demo-check: setup
	$(TTM) demo --check

test: dev
	$(BIN)/python -m pytest -n 2 --ignore=tests/elastic --ignore=tests/mail

test-elastic: dev
	@deploy/elasticsearch/fetch || echo "without a server the tests say why they are skipped"
	$(BIN)/python -m pytest tests/elastic -rs

test-mail: dev
	@deploy/mail/install || echo "without the servers the tests say why they are skipped"
	$(BIN)/python -m pytest tests/mail -n 0 -rs

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy library crawlers indexer alerts search_api operations benchmarks ttm.py tests

bench: dev
	$(BIN)/python -m benchmarks

RECORDS ?= 1000000
bench-search: dev
	@deploy/elasticsearch/fetch || echo "without a server the second engine is not measured"
	$(BIN)/python -m benchmarks.large_search --records $(RECORDS)

torture: dev
	$(BIN)/python -m benchmarks.torture

browser:
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y chromium fonts-noto-cjk; } \
	  || echo "no chromium, and no apt-get to install it with"

postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
	  || { command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y postgresql; } \
	  || echo "no PostgreSQL server, and no apt-get to install it with"

# needs uv; the locks hold versions and hashes and no addresses
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml
lock:
	$(COMPILE) --extra postgres --extra semantic --group test --group lint -o locks/dev.txt
	$(COMPILE) --extra postgres --extra semantic -c locks/dev.txt -o locks/runtime.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build -o locks/build.txt

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build dist *.egg-info
