SELECT name FROM ops.attributes WHERE type = 'dimension' ORDER BY name
