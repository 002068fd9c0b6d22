COPY pg_temp.news FROM STDIN
