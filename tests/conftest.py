"""What every test may ask for: servers, databases, a city; each is explained in `tests/support`."""

pytest_plugins = [
    "tests.support.databases",
    "tests.support.temporal",
    "tests.support.city",
    "tests.support.shop",
    "tests.support.listener",
]
