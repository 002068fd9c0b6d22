SELECT topic, generation, offsets FROM realtime.minutes_source
