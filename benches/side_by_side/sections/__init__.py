"""The parts of docs/benchmarks.md: a file each, with TITLE, `measure` and `page`."""
