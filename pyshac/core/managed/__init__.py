"""Engines that look after a framework around each evaluation."""
