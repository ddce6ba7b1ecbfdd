"""The read planner: one GraphQL operation becomes one SQL statement whose result is the finished JSON.

mapping     what a field is in the database, declared beside the field
selection   an operation as a tree of fields: fragments merged, conditions decided
statement   a tree as one parameterised SQL text
parameters  where the values of that text come from at run time
identity    global ids and cursors: made in SQL, taken apart here
reader      plans made once, kept, and run
fallback    the same for operations that need a resolver written in Python

Nothing here knows a word of the domain.
"""
