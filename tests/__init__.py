"""The tests, a package for each of e2d's."""
