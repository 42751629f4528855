# demo, test: also install what the system lacks. CARGO_TARGET_DIR moves the build out of the checkout.
.PHONY: demo test fast lint bench deb

# One profile for everything that links DuckDB: its C++ takes half an hour to build, once a profile.
demo:
	scripts/setup
	cargo build --release
	scripts/demo

test:
	scripts/setup --with-postfix
	$(MAKE) --no-print-directory lint fast
	cargo test --release

# Every stage but the database: seconds, and with overflow checks (dev profile).
fast:
	cargo test --no-default-features --lib

lint:
	cargo fmt --check
	cargo clippy --release --all-targets -- -D warnings
	cargo clippy --no-default-features --all-targets -- -D warnings

bench:
	cargo build --release
	bench/import 1000000
	bench/pflogsumm
	bench/grep

# Installs what it needs: what scripts/setup names, and cargo-deb.
deb:
	scripts/deb
