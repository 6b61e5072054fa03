"""One module a layout. They speak of tables as they were, so they import nothing of today's."""
