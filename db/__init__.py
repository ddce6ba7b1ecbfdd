"""What is stored: pool, embedded server, migrations, settings, and the SQL text, one module per domain."""
