"""Tests of integrations with the real other projects."""
