"""What a run is made of, its life from start to end, and the processes that it gives work to."""
