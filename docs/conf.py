"""Sphinx's settings: no theme and no extension that Sphinx does not bring itself."""

from e2d import __version__

project = "e2d"
author = "The e2d maintainers"
project_copyright = "The e2d maintainers"
version = release = __version__

html_theme = "alabaster"
html_theme_options = {"description": "deploys etcd and keeps it alive"}
exclude_patterns = ["_build"]
nitpicky = True
