"""Tags by hand."""
