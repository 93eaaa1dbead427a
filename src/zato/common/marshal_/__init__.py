"""The older import path of models."""
