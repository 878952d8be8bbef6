#!/bin/sh
# Runs once per version, in the unpacked package, before the app is started.
set -eu
chmod +x heartbeat.sh
echo "installing $GWE_APP_NAME $GWE_APP_VERSION (before: ${GWE_PREVIOUS_VERSION:-none})"
