"""Basics that every folder may use."""
