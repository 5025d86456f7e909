"""A client for OCI registries: which host and how, credentials, HTTP, the distribution API, moving images.

The modules, in the order in which to read them:

- :mod:`imgref.registry.hosts`: which host serves a registry, and how far it is trusted
- :mod:`imgref.registry.auth`: where credentials are found and kept
- :mod:`imgref.registry.transport`: HTTP, with its retries and redirects
- :mod:`imgref.registry.tokens`: what is sent as ``Authorization``, and to whom
- :mod:`imgref.registry.session`: requests with credentials, and refusals in words
- :mod:`imgref.archive.manifest`: manifests and indexes
- :mod:`imgref.registry.client`: the distribution API
- :mod:`imgref.registry.transfer`: push, pull and copy, over :mod:`imgref.registry.uploads`
- :mod:`imgref.registry.release`: the tags of a version, put so that none moves backwards
- :mod:`imgref.registry.retag`: more tags for an image that is there
"""
