"""Peers on this machine, for the demonstration and for tests: real ones, on real sockets."""
