#!/bin/sh
# Installs the tarballs that install.sh left for the engine's first start, each once.
set -u
root=$(dirname -- "$(dirname -- "$0")")
status=0
for app in /var/lib/gateway-engine/apps_to_install/*.tar.gz; do
  [ -f "$app" ] || continue
  if "$root/bin/gwe" --install-apps "$app"; then rm -f "$app"; else status=1; fi
done
rmdir /var/lib/gateway-engine/apps_to_install 2>/dev/null
exit "$status"
