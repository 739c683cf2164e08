"""Public fakes, in-memory reactor, contract suites. Imported by tests only."""
