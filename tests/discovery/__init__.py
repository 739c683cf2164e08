"""Tests of e2d.discovery."""
