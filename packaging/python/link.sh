#!/bin/sh
# Makes the packages of this folder importable by the Pythons of this machine: one .pth file in each one's own directory
# for add-ons names the folder, so that an update of the engine updates the packages too.
# usage: link.sh install FOLDER | link.sh remove
set -eu

directory_of() { # $1 a python; prints its first directory for add-ons
  "$1" -c 'import site; print(site.getsitepackages()[0])' 2>/dev/null
}

pythons() {
  for python in python python2 python2.7 python3; do
    command -v "$python" || true
  done
}

case "${1-}" in
  install)
    folder=${2:?usage: link.sh install FOLDER}
    for python in $(pythons); do
      target=$(directory_of "$python") || continue
      mkdir -p "$target"
      printf '%s\n' "$folder" >"$target/.gateway-engine.pth.new"
      mv -f "$target/.gateway-engine.pth.new" "$target/gateway-engine.pth"
      printf '%s imports exo and GatewayEngine from %s\n' "$python" "$folder"
    done
    ;;
  remove)
    for python in $(pythons); do
      target=$(directory_of "$python") || continue
      rm -f "$target/gateway-engine.pth"
    done
    ;;
  *)
    printf 'usage: link.sh install FOLDER | link.sh remove\n' >&2
    exit 2
    ;;
esac
