"""The door: HTTP, WebSockets, events, the command line."""
