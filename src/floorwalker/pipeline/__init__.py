"""The hot path, written once: server, replay, backtest and training all run it."""
