"""Benchmarks: figures to report and to compare, never asserted by a test. See README.md."""
