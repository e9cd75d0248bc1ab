"""What any backend that writes code needs to know of units, whatever language it writes."""
