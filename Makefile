# SPDX-License-Identifier: Apache-2.0
#
# The front door. `make help` says what there is; the build itself is CMake's (CMakeLists.txt, CMakePresets.json).

SPEC ?= ../shared/spec
FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local
DESTDIR ?=
BENCH ?=

# The compiler of the release: clang 19 where it is installed, else gcc.
RELEASE ?= $(shell command -v clang-19 clang-20 clang-21 clang-22 > /dev/null 2>&1 && echo release || echo release-gcc)
TEST_PRESETS ?= dev release release-gcc asan asan-gcc aarch64 board

.PHONY: release
release: ## builds the library and the tool (the default)
	@[ $(RELEASE) = release ] || echo "clang 19 is not installed: building with gcc."
	@mkdir -p build
	@cmake --preset $(RELEASE) -DWASMKEEP_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$(PREFIX)" > build/$(RELEASE).log 2>&1 \
		|| { cat build/$(RELEASE).log; exit 1; }
	@cmake --build --preset $(RELEASE)
	@echo "Built: build/$(RELEASE)/wasmkeep"
	@sh examples/build.sh

.PHONY: help
help: ## says what there is
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo "More: docs/, ARCHITECTURE.md."

.PHONY: demo
demo: demo-packages release ## runs a real program with a TEE's memory, Lua, and shows its memory map
	@sh demo/build.sh build/demo
	build/$(RELEASE)/wasmkeep run --tee sim:optee-qemu-armv8a --memory-report --dir demo::/ build/demo/lua.wasm /demo.lua

.PHONY: test
test: test-packages spec-files ## builds everything and runs all tests, with sanitizers and for Arm, too
	@mkdir -p build
	@sh tests/run.sh $(TEST_PRESETS)

.PHONY: check
check: ## a fast subset: one build, without the core test suite
	@mkdir -p build
	@sh tests/run.sh -q $(if $(filter release,$(RELEASE)),dev,release-gcc)

# The release's tool, and the runner of the core test suite beside it.
build-runner = mkdir -p build && { cmake --preset $(RELEASE) && cmake --build --preset $(RELEASE) --target wasmkeep_tool \
	spec_runner; } > build/spec.log 2>&1 || { cat build/spec.log; exit 1; }

.PHONY: spec
spec: spec-files ## runs the core test suite of SPEC=DIR
	@$(build-runner)
	@build/$(RELEASE)/spec_runner build/spec/core

.PHONY: bench
bench: demo-packages release ## compares with native code, and with other engines (see bench/)
	@python3 bench/run.py --wasmkeep build/$(RELEASE)/wasmkeep $(BENCH)

.PHONY: memory
memory: test-packages ## says in bytes what the keep takes beside a program's memory
	@cmake --preset $(RELEASE) > build/memory.log && cmake --build --preset $(RELEASE) > build/memory.log \
		&& cmake --build --preset $(RELEASE) --target wasmkeep_load > build/memory.log || { cat build/memory.log; exit 1; }
	@sh bench/memory.sh build/$(RELEASE)/wasmkeep build/$(RELEASE)/load build/$(RELEASE)/tests/memory/programs

.PHONY: load
load: demo-packages release ## says how fast modules are loaded and translated
	@cmake --build --preset $(RELEASE) --target wasmkeep_load > build/load.log || { cat build/load.log; exit 1; }
	@sh bench/programs.sh > build/load.log 2>&1 || { cat build/load.log; exit 1; }
	@build/$(RELEASE)/load build/bench/wasm/sqlite3.wasm build/bench/wasm/lua.wasm build/bench/wasm/zlib.wasm

.PHONY: fuzz
fuzz: ## runs each fuzzer for FUZZ_SECONDS=60
	@cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz
	@sh tests/fuzz.sh build/fuzz $(FUZZ_SECONDS)

.PHONY: coverage
coverage: spec-files ## says which lines the tests execute
	@sh tests/run.sh coverage
	@sh tests/coverage.sh build/coverage

.PHONY: size
size: ## shows the size of the library's code at -Os
	@sh cmake/size.sh

.PHONY: board
board: board-packages ## assembles an emulated machine with OP-TEE (docs/board.md), or its VARIANT=128m
	@sh board/assemble.sh $(VARIANT)

.PHONY: ta
ta: board ## builds the Trusted Application and the tool for the board: build/ta, build/optee
	@sh ta/build.sh

.PHONY: boarddemo
boarddemo: demo-packages ta ## runs real programs in the TEE of the board
	@sh board/demo.sh

.PHONY: boardtest
boardtest: board-packages test-packages spec-files ## tests that machine and the Trusted Application on it, or its VARIANT=128m
	@sh board/assemble.sh
	$(if $(VARIANT),@sh tests/board/memory.sh board/board $(VARIANT))
	$(if $(VARIANT),@sh tests/board/probe.sh board/board $(VARIANT))
	$(if $(VARIANT),,@$(build-runner))
	$(if $(VARIANT),,@sh tests/board/all.sh build/$(RELEASE)/wasmkeep)

.PHONY: boardspec
boardspec: board-packages spec-files ## runs the core test suite in a Trusted Application on that machine
	@sh board/assemble.sh
	@$(build-runner)
	@sh tests/board/spec.sh board/board build/$(RELEASE)/spec_runner

.PHONY: install
install: release ## installs to PREFIX=/usr/local, below DESTDIR
	@DESTDIR="$(DESTDIR)" cmake --install build/$(RELEASE)

.PHONY: clean
clean: ## removes everything that was built
	rm -rf build

# ---- what the targets above need ----

.PHONY: test-packages demo-packages board-packages spec-files
test-packages:
	@sh cmake/packages.sh tests/packages.txt bench/packages.txt
demo-packages:
	@sh cmake/packages.sh tests/packages.txt bench/packages.txt
board-packages:
	@sh cmake/packages.sh board/packages.txt
spec-files:
	@sh tests/spec_files.sh "$(SPEC)" build/spec
