"""Delivery: reports and commands on their way in, signals to Temporal, the relay behind them."""
