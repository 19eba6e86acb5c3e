"""The choice of the accepted draws that are evaluated."""
