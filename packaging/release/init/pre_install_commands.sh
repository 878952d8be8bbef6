#!/bin/sh
# Hardware vendors: commands that install.sh runs as root before it changes anything. When one fails, so does the installation.
set -eu
