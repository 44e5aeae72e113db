"""The journal of a request: its entries, what each kind says, and the state that follows."""
