"""What a run found: result model, live view, HTML page, thresholds, comparison."""
