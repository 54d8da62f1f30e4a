"""How what runs once a migration, and waits for others then, is compiled."""

# Half as large as with -O2.
SMALL = select({
    "//codec:optimized": ["-Os"],
    "//conditions:default": [],
})
