"""The access-log job: visitors, categories, report, blocklists."""
