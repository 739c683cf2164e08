"""Tests of e2d.config."""
