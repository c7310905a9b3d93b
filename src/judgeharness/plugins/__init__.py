"""How plugins are declared, found, loaded and registered."""
