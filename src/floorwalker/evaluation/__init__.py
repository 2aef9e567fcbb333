"""Every number that we publish comes from here."""
