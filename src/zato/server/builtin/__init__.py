"""Services that come with every server. They are ordinary ones, and come in by the front door."""
