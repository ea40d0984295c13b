"""What the services need from outside, as Protocols; one module per concern."""
