"""The report: questions to the warehouse, their answers, and one HTML page that shows them."""
