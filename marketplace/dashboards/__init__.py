"""Pages that read from several apps."""
