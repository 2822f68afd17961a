"""Languages as data: one YAML catalogue each, and how it writes money, amounts and dates."""
