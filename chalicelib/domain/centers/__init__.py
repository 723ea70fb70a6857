"""Centers: distances, and which treatment centers are nearest."""
