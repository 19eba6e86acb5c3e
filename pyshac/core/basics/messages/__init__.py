"""What users read: texts of bounded length, without control characters, that name the culprit."""
