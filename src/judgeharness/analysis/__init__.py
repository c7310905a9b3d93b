"""Analyses of answers: intervals, significance, people, bias, slices, parity. Pure functions of domain types."""
