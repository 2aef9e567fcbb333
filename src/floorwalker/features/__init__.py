"""Events and live state become named numbers as of event time."""
