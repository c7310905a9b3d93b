"""What answers are worth: intervals, significance, people, bias, slices, parity. Pure functions of domain types."""
