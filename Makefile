# Two commands on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
# README.md has the plain commands behind them.

PYTHON ?= python3
BIN := .venv/bin
PIP := -m pip --disable-pip-version-check --no-input --quiet
REQUIREMENTS := pyproject.toml constraints.txt
PEERS := tests/conformance

.PHONY: demo test check postgresql espresso slurm soak bench clean
.DELETE_ON_ERROR:
# or each of the many processes that tests start would compile the modules again
unexport PYTHONDONTWRITEBYTECODE

demo: .venv/installed
	$(BIN)/hagane demo --report out/demo.html

test: check .venv-peers/installed .venv-madsci/installed postgresql espresso slurm
	$(BIN)/pytest -n 3 --dist worksteal

check: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: .venv/installed-test
	$(BIN)/pytest -n 2 -m soak -o faulthandler_timeout=0

bench: .venv/installed-test
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .venv-* out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hagane needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/installed: $(REQUIREMENTS) | $(BIN)/python
	@echo "installing into .venv"
	$(BIN)/python $(PIP) install -e . -c constraints.txt
	@touch $@

.venv/installed-test: $(REQUIREMENTS) | $(BIN)/python
	@echo "installing into .venv; the first time takes minutes, since the tests compare with PyTorch"
	$(BIN)/python $(PIP) install -e ".[test,postgresql]" -c constraints.txt
	@touch .venv/installed $@

# Clients and devices by other people, which have no say in our dependencies. Where they cannot be
# installed their tests are skipped and say so. A node of MADSci wants another pydantic than the others.
define PEERS_IN
	rm -rf $(@D)
	@$(PYTHON) -m venv $(@D) \
	  && $(@D)/bin/python $(PIP) install -r $< \
	  && touch $@ \
	  || { rm -rf $(@D); echo "no $(@D): tests with independent clients are skipped"; }
endef

.venv-peers/installed: $(PEERS)/requirements-peers.txt
	$(PEERS_IN)

.venv-madsci/installed: $(PEERS)/requirements-madsci.txt
	$(PEERS_IN)

# The journal's second store, where Debian can bring it without a password. Never an obstacle:
# its tests are skipped and name the package.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	  apt="$$as_root env DEBIAN_FRONTEND=noninteractive timeout 180 apt-get -qq"; \
	  command -v apt-get >/dev/null 2>&1 && { [ -z "$$as_root" ] || sudo -n true; } 2>/dev/null \
	  && { $$apt install -y --no-install-recommends postgresql \
	    || { $$apt update && $$apt install -y --no-install-recommends postgresql; }; } \
	    >/dev/null 2>&1 </dev/null \
	  || echo "PostgreSQL is not installed (Debian's package postgresql): its tests are skipped"; }

# pw.x, whose failures are brought about in tests; likewise never an obstacle.
espresso:
	@{ command -v pw.x && ls /usr/share/espresso/pseudo; } >/dev/null 2>&1 || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	  apt="$$as_root env DEBIAN_FRONTEND=noninteractive timeout 180 apt-get -qq"; \
	  wanted="quantum-espresso quantum-espresso-data"; \
	  command -v apt-get >/dev/null 2>&1 && { [ -z "$$as_root" ] || sudo -n true; } 2>/dev/null \
	  && { $$apt install -y --no-install-recommends $$wanted \
	    || { $$apt update && $$apt install -y --no-install-recommends $$wanted; }; } \
	    >/dev/null 2>&1 </dev/null \
	  || echo "pw.x is not installed (Debian's packages quantum-espresso and quantum-espresso-data): its tests are skipped"; }

# A cluster of one node for the tests, likewise. Nothing of it is started but by them.
slurm:
	@PATH="$$PATH:/usr/sbin"; command -v slurmctld >/dev/null 2>&1 && command -v munged >/dev/null 2>&1 || { \
	  as_root=$$([ "$$(id -u)" = 0 ] || echo sudo -n); \
	  apt="$$as_root env DEBIAN_FRONTEND=noninteractive timeout 180 apt-get -qq"; \
	  command -v apt-get >/dev/null 2>&1 && { [ -z "$$as_root" ] || sudo -n true; } 2>/dev/null \
	  && { $$apt install -y --no-install-recommends slurm-wlm munge \
	    || { $$apt update && $$apt install -y --no-install-recommends slurm-wlm munge; }; } \
	    >/dev/null 2>&1 </dev/null \
	  || echo "SLURM is not installed (Debian's packages slurm-wlm, munge): its tests are skipped"; }
