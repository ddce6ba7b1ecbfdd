"""What happens: rules and commands, one module per domain; `reading/` is the read planner."""
