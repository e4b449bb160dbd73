"""The outside systems, one module each: they translate, they never decide."""
