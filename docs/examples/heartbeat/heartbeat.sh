#!/bin/sh
# A long-running app: beats every second, and tells Murano every tenth beat. Any language would do.
set -u
version=$1
beat=0
cik=$(gwe --gateway-cik)
echo "heartbeat $version starts"
while :; do
    beat=$((beat + 1))
    echo "beat $beat of version $version"
    if [ $((beat % 10)) -eq 1 ]; then
        gdc write "$cik" heartbeat "version $version, beat $beat" || echo "Murano could not be told; going on"
    fi
    sleep 1
done
