"""Rates: what one unit of a currency was worth in the reporting currency, day by day, out of the user's file."""
