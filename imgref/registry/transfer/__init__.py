"""Images on the move: push, pull, copy and retag.

- :mod:`imgref.registry.transfer.moves`: whole images, from and to registries and archives
- :mod:`imgref.registry.transfer.uploads`: blobs, mounted or uploaded
- :mod:`imgref.registry.transfer.retag`: more tags for an image that is on a registry
- :mod:`imgref.registry.transfer.mount_cache`: repositories from which a registry can mount a blob
- :mod:`imgref.registry.transfer.progress`: the events of a transfer, and their receivers
"""
