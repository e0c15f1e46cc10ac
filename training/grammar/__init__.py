"""What callers of the Harbour Kitchen say, what its assistant answers, and how the talk goes on."""
