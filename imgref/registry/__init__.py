"""A client for OCI registries: which host and how, credentials, HTTP, the distribution API, moving images."""
