"""A client for OCI registries: which host and how, credentials, HTTP, the distribution API, moving images.

The modules, in the order in which to read them:

- :mod:`imgref.registry.hosts`: which host serves a registry, and how far it is trusted
- :mod:`imgref.registry.credentials`: where credentials are found and kept
- :mod:`imgref.registry.transport`: HTTP, with its retries and redirects
- :mod:`imgref.registry.authorization`: what is sent as ``Authorization``, and to whom
- :mod:`imgref.registry.session`: requests with credentials, and refusals in words
- :mod:`imgref.archive.manifest`: manifests and indexes
- :mod:`imgref.registry.client`: the distribution API
- :mod:`imgref.registry.mirrors` and :mod:`imgref.registry.lookup`: its questions, asked of mirrors first
- :mod:`imgref.registry.catalog`: the images of a repository
- :mod:`imgref.registry.transfer.moves`: push, pull and copy, over :mod:`imgref.registry.transfer.uploads`
- :mod:`imgref.registry.release`: the tags of a version, put so that none moves backwards
- :mod:`imgref.registry.transfer.retag`: more tags for an image that is there
"""
