"""The benchmark, `python -m tests.bench`; docs/performance.md tells what it shows."""
