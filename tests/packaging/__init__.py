"""How e2d is packaged: what setuptools, Twisted and Debian must find, and must not."""
