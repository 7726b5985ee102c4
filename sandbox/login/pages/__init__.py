"""Universal Login's pages; each module names its paths in PAGES: (path, methods, handler)."""
