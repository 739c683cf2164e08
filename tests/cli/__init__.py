"""Tests of `e2d.cli`."""
