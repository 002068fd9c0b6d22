-- Loaders that are frozen in the midst of a COPY. While the server waits for a client's rows no limit of its own counts, neither
-- idle_in_transaction_session_timeout nor transaction_timeout nor statement_timeout (tried with 18.4): so loaders end each other.
WITH frozen AS MATERIALIZED (  -- else nothing says that a session is looked at before it is ended
    SELECT pid, coalesce(host(client_addr), 'the same machine') AS host, clock_timestamp() - query_start AS silent
    FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead'
      AND query_start < clock_timestamp() - make_interval(secs => %(frozen_s)s)
)
SELECT pid, host, extract(epoch FROM silent)::integer FROM frozen WHERE pg_terminate_backend(pid)
