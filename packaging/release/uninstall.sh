#!/bin/sh
# Removes Gateway Engine: configuration, state and applications stay, unless --purge is given.
exec "$(dirname -- "$0")/install.sh" --uninstall "$@"
