"""The routes of the config function, one module per area."""
