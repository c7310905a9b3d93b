"""Plots of stored runs: as a file for print (matplotlib), or as a sketch in the terminal."""
