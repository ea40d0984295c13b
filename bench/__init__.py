"""Benchmarks of the product: each prints JSON."""
