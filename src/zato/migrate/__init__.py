"""Reading old services without running them: what works here, what changes, what is missing.

`report` is the way in. The rules are data, in `rules` and `python_rules`.
"""
