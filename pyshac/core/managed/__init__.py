"""Engines that manage a framework around each evaluation."""
