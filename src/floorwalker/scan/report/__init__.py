"""The report of a scan: one self-contained HTML file for an analyst's morning."""

from floorwalker.scan.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
