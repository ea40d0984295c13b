"""ChatConnect: an AI chat widget that answers from a company's own documents."""
