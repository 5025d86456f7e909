"""Deleting what a repository does not need any more: a plan first, then one manifest at a time.

- :mod:`imgref.registry.prune.rules`: which tags the rules select
- :mod:`imgref.registry.prune.graph`: which manifests need each other
- :mod:`imgref.registry.prune.plan`: what stays, what goes, and why
- :mod:`imgref.registry.prune.reader`: the tags and manifests of a repository
- :mod:`imgref.registry.prune.apply`: deletes what a plan selects, and checks the tags before each deletion
"""
