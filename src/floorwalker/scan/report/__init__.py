"""The report of a scan: one self-contained HTML file."""
