"""The command `zato`: one file a command group, imported when the command is given."""
