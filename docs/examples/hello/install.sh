#!/bin/sh
# A one-off app: this script is the whole program, and what it prints becomes fetch_status.
echo "hello from $(uname -n), kernel $(uname -r)"
echo "up for $(cut -d. -f1 /proc/uptime) seconds"
