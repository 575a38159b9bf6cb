#!/bin/sh
# What the official image of PostgreSQL does for a CI job: a cluster on first start with the user, password and
# database that the environment asks for, the scripts of /docker-entrypoint-initdb.d, then the server, not as root.
# It listens only when all that is done.
set -eu
case ${1:-postgres} in -*) set -- postgres "$@" ;; esac
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}

start_alone() { pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start >/dev/null; }
stop_alone() { pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null; }
query() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$user" --dbname "$@"; }

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
    echo 'Error: there is no database yet, and no password for its superuser: set POSTGRES_PASSWORD,' >&2
    echo 'or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in.' >&2
    exit 1
  fi
  password=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:-}" >"$password"
  initdb --no-sync --username="$user" ${POSTGRES_PASSWORD:+--pwfile="$password"} ${POSTGRES_INITDB_ARGS:-}
  rm "$password"
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  start_alone
  [ "$database" = postgres ] || query postgres --set name="$database" <<'END'
CREATE DATABASE :"name";
END
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sql) query "$database" --file "$file" ;;
      *.sh) . "$file" ;;
    esac
  done
  stop_alone
  echo 'PostgreSQL init process complete; ready for start up.'
fi
unset POSTGRES_PASSWORD
exec "$@" -c "listen_addresses=*"
