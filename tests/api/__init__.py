"""Tests of `e2d.api`."""
