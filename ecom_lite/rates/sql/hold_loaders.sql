-- Every loader begins its transactions here: none is in its midst from here on.
LOCK TABLE ops.consumer_offsets IN EXCLUSIVE MODE
