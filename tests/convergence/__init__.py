"""Tests of the loop, on fakes and a clock of their own."""
