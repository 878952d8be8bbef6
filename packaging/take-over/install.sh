#!/bin/sh
# Installed over the air by an original Gateway Engine, or run by hand: docs/take-over.md. POSIX sh.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd -P)
release=$here/gateway-engine
prefix=/opt/gateway-engine

fail() {
  printf 'gwe-takeover: %s\n' "$*" >&2
  exit 1
}

[ ! -e "$prefix/current" ] || fail "an engine of this kind is installed in $prefix already"
# Before anything is touched, and by the very program that is to be installed.
"$release/tree/bin/gwe" take-over check || fail "nothing was changed"
cp "$here/gateway-engine-take-over.service" /etc/systemd/system/
"$release/install.sh" --beside || fail "the original runs on"
if ! "$prefix/current/bin/gwe" take-over prepare "$@"; then
  "$release/install.sh" --uninstall --purge
  fail "the original runs on"
fi
