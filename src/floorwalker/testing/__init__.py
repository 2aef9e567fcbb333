"""The checks that every part must pass, and the builders that tests share."""
