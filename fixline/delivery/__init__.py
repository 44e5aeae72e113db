"""Delivery: reports and commands on their way in, doorbells to Temporal, the relay behind them."""
