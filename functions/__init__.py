"""The Lambda functions: one folder each, with its entry (handler) and its choice of adapters (wiring)."""
