"""Versions of the ledger's tables, applied by Alembic when the ledger is opened."""
