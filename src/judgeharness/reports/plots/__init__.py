"""Plots of stored runs, as a file for print (matplotlib) or as text for the terminal."""
