"""Groovy, the language of Jenkinsfiles, as far as it takes to find images."""
