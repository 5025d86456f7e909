"""Kinds of YAML: Compose, Kubernetes, Helm values, Kustomize and the files of CI systems."""
