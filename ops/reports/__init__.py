"""Reports: daily health, weekly review, monthly management report; one content as a page, as JSON and as CSV."""
