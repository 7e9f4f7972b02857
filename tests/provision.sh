#!/usr/bin/env bash
# Installs the stock tools that the tests decode with and kill with, where they are missing. Debian and its kin only;
# elsewhere install them by hand: the tests say what is missing.
set -eu
missing=()
for program in age zstd gzip sqlite3 strace; do
  command -v "$program" >/dev/null || missing+=("$program")
done
# The tests run servers of their own, as an unprivileged user.
[ -x /usr/lib/postgresql/15/bin/postgres ] || missing+=(postgresql-15)
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing ${missing[*]} for the tests" >&2
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }
if ! { command -v apt-get && as_root true; } >/dev/null 2>&1; then
  echo "cannot install ${missing[*]}: neither root nor apt-get; tests that need them are skipped" >&2
  [ "${CI:-}" = true ] && exit 1
  exit 0
fi
as_root apt-get -qq update
found=()
for package in "${missing[@]}"; do
  if apt-cache show "$package" >/dev/null 2>&1; then found+=("$package"); continue; fi
  echo "this system has no package $package: tests that need it are skipped" >&2
  [ "${CI:-}" = true ] && exit 1
done
[ ${#found[@]} -eq 0 ] && exit 0
# Its package would make a cluster of the system and start it.
case " ${missing[*]} " in *" postgresql-15 "*)
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi ;;
esac
DEBIAN_FRONTEND=noninteractive as_root apt-get -qq install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${found[@]}" >/dev/null
