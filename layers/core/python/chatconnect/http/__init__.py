"""What all HTTP functions share: the application, errors, authentication, and the event stream on the wire."""
