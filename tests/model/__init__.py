"""Tests of e2d.model."""
