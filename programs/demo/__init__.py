"""A made-up practice, lived day by day through the functions that real days use."""
