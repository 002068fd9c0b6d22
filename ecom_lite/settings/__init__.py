"""One frozen tree of settings, what their values may be, and every file name of the data folder."""
