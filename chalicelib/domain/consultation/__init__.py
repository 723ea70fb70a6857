"""The consultation: the times that a center publishes, and the booking of one of them."""
