# Thin: each line is a script or an npm run. `make up` is the whole way from a fresh clone to a running application.
.PHONY: help up upgrade down clean env build lint test products nightly bench

help:
	@echo "make up       deploy the example application; CONTEXT=<kubectl context> for a cluster of yours, else a local one"
	@echo "make upgrade  deploy its next version, which has one more migration"
	@echo "make down     remove the stack; the volume with the data stays"
	@echo "make clean    remove the local cluster and everything in it"
	@echo "make test     build, lint and tests, on the same cluster"
	@echo "make products the presets' products from npm, PyPI and Go modules, run for real (builds 3 GB of images, about 15 min)"
	@echo "make nightly  the same and more: test/nightly, 100 times destroy and up on the volume that stayed, a migration of five minutes (an hour more)"
	@echo "make bench    what it takes, beside Helm, kubectl and a Pulumi program without it (about an hour; BENCH_ROUNDS=1 is a quick look)"
	@echo 'eval "$$(make -s env)"   for pulumi and kubectl typed by hand'

up:
	@tools/up.sh

upgrade:
	@tools/upgrade.sh

down:
	@tools/down.sh

clean:
	@tools/cluster/down.sh

env:
	@tools/env.sh

build:
	@tools/install.sh
	@npm run --silent build

lint:
	@npm run --silent lint

test:
	@tools/test.sh

products:
	@tools/products.sh

nightly:
	@NIGHTLY=1 tools/test.sh

bench:
	@tools/bench.sh
