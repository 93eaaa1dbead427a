"""The broker of a cluster: a Redis that any number of servers share. `model.lua` has the data model."""
