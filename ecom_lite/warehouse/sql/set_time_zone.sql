UPDATE ops.calendar SET time_zone = %(zone)s, since = now()
