"""Who somebody is: keys, and what they allow."""
