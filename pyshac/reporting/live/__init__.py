"""The report of a search while it runs, as a page that only this machine can open."""
