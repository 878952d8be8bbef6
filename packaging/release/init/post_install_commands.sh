#!/bin/sh
# Hardware vendors: commands that install.sh runs as root when all else is in place. When one fails, so does the installation.
set -eu
