# joulegate: `make demo` sets everything up and runs it, `make test` sets everything up and tests it.
.PHONY: setup peers counts build release test unit integration fuzz fuzz-short instructions bench demo demo-llm clean

VENV := .venv
RELEASE := .build/release/joulegate
# One self-contained binary: no Swift runtime to install beside it, and cheaper calls into it.
RELEASE_FLAGS := -c release --static-swift-stdlib
GATE := loadtest/instructions.gate

setup:
	@sh scripts/setup.sh

peers:
	@sh scripts/setup.sh --peers
	@sh scripts/venv.sh $(VENV)

# Without valgrind all else can still be tested.
counts:
	@sh scripts/setup.sh --counts || ! command -v valgrind

build: setup
	swift build

release: setup
	swift build $(RELEASE_FLAGS) --product joulegate

unit: setup
	swift test

integration: release peers counts
	$(VENV)/bin/python -m pytest -q -rsx Tests/Integration

# Every parser with 30,000 inputs of the fuzzer's.
fuzz-short: setup
	@sh scripts/fuzz.sh all

# One parser for longer: make fuzz TARGET=sse RUNS=10000000
fuzz: setup
	@sh scripts/fuzz.sh $(TARGET) --runs $(or $(RUNS),1000000)

# Counts, not times: they hold on a busy machine.
instructions: release counts
	@if command -v valgrind >/dev/null; then loadtest/instructions --gate $(GATE) $(RELEASE); \
	else echo "instructions: SKIPPED: valgrind is missing and could not be installed"; fi

# A package of its own, with what it fetches.
bench: setup
	@sh scripts/bench.sh $(BENCH)

test: unit fuzz-short integration instructions

demo: release
	@$(RELEASE) demo $(DEMO)

demo-llm: release
	@sh scripts/demo-llm.sh $(RELEASE) $(DEMO)

clean:
	rm -rf .build run
