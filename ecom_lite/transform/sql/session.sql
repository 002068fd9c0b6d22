-- Of a connection that builds models: a plan of many small parts is cheaper to run than to compile.
SET jit = off;
