#!/bin/sh
# Installs Gateway Engine from an unpacked release, or from a checkout on which `npm ci` has been run:
# docs/installation.md.
# Run it again to upgrade. POSIX sh (dash, BusyBox ash).
set -eu
umask 022

usage() {
  cat <<EOF
usage: $0 [--prefix DIR] [--now]
       $0 --uninstall [--prefix DIR] [--purge]

Installs or upgrades Gateway Engine. Nothing is started before the next boot,
and what runs goes on running, unless --now is given.

  --prefix DIR   where the program goes; /opt/gateway-engine by default
  --now          start the engine, or restart a running one; applications go on
  --beside       place program and units, but no commands, and have nothing
                 started at boot: an original engine runs on (take-over)
  --uninstall    stop everything and remove the program; configuration, state
                 and installed applications stay
  --purge        with --uninstall: remove these too
EOF
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

prefix=/opt/gateway-engine action=install now='' purge='' packaged='' beside=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ $# -ge 2 ] || fail "--prefix needs a directory"
      prefix=$2
      shift
      ;;
    --prefix=*) prefix=${1#*=} ;;
    --now) now=1 ;;
    --uninstall) action=uninstall ;;
    --beside) beside=1 ;;
    --purge) purge=1 ;;
    # By the scripts of a package manager, which has units, init script and documentation of its own.
    --packaged) packaged=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done

# Units, sed and the shell all take such a path as it is.
case $prefix in
  /*[!A-Za-z0-9/._-]*) fail "--prefix may hold letters, digits and / . _ - only: $prefix" ;;
  / | */ | *//* | */../* | */.. | */./* | */.) fail "--prefix must be a plain absolute directory: $prefix" ;;
  /*) ;;
  *) fail "--prefix must be an absolute directory: $prefix" ;;
esac
[ -z "$purge" ] || [ "$action" = uninstall ] || fail "--purge goes with --uninstall"
[ "$(id -u)" = 0 ] || fail "must be run as root: it writes to $prefix, /etc and /usr/local/bin"

etc=/etc/gateway-engine
group=gateway-engine
units=/etc/systemd/system
wants=$units/multi-user.target.wants
links=/usr/local/bin
manual=/usr/local/share
engine=gateway-engine.service
pm2=gateway-engine-pm2.service
apps=gateway-engine-apps.service
takeover=gateway-engine-take-over.service
init=/etc/init.d

# systemd may run here, be there without running (a chroot, an image), or not be there at all.
systemd_runs() { [ -d /run/systemd/system ] && command -v systemctl >/dev/null; }
has_systemd() {
  systemd_runs || [ -x /lib/systemd/systemd ] || [ -x /usr/lib/systemd/systemd ]
}

uninstall() {
  if systemd_runs; then
    # Both named, though the engine's stop includes the other: it may be down while the other is up.
    systemctl stop "$engine" "$pm2" 2>/dev/null || say "note: a unit could not be stopped"
  fi
  [ -n "$packaged" ] || remove_init_script
  rm -f "$wants/$engine" "$wants/$apps" "$wants/$takeover"
  rm -f "$units/$engine" "$units/$pm2" "$units/$apps" "$units/$takeover"
  ! systemd_runs || systemctl daemon-reload
  for name in gwe gdc gmq supervisorctl; do remove_link "$links/$name"; done
  for name in gwe gdc gmq; do
    remove_link "$manual/man/man1/$name.1"
    remove_link "$manual/bash-completion/completions/$name"
  done
  [ ! -x "$prefix/current/python/link.sh" ] || "$prefix/current/python/link.sh" remove
  if [ -d "$prefix" ]; then
    rm -rf "$prefix/current" "$prefix/versions" "$prefix"/trial "$prefix"/trial-failed "$prefix"/trial-told
    rmdir "$prefix" 2>/dev/null || say "note: $prefix holds other files and is kept"
  fi
  if [ -n "$packaged" ]; then
    : # The package manager says what is kept, and purges it.
  elif [ -n "$purge" ]; then
    rm -rf "$etc" /var/lib/gateway-engine /run/gateway-engine
    say "Gateway Engine, its configuration, its state and its applications are removed."
    say "Kept: logs in /var/log, and the group $group."
  else
    say "Gateway Engine is removed. Kept: $etc, /var/lib/gateway-engine (applications included), the group $group."
  fi
}

# ---- installing

remove_init_script() {
  for script in "$init/gateway-engine" "$init/S90gateway-engine"; do
    [ -f "$script" ] || continue
    systemd_runs || "$script" stop || say "note: the engine could not be stopped"
    rm -f "$script"
    ! command -v update-rc.d >/dev/null || update-rc.d gateway-engine remove >/dev/null
  done
}

check_source() {
  machine=$(uname -m)
  case $machine in
    x86_64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    armv7l | armv6l) fail "32-bit ARM ($machine) is not supported: Node.js 24 is not built for it" ;;
    *) fail "no Node.js runtime for $machine: x86_64 and aarch64 are supported" ;;
  esac
  if [ -d "$here/tree" ]; then check_release; else check_checkout; fi
  "$node" -e 0 2>/dev/null ||
    fail "the Node.js runtime does not run here: it needs glibc 2.28 or newer (musl is not supported yet)"
  addon=$(dirname -- "$package")/node_modules/better-sqlite3/prebuilds/linux-$arch.node
  "$node" -e 'process.dlopen({ exports: {} }, process.argv[1])' "$addon" 2>/dev/null ||
    fail "SQLite does not run here: it needs glibc 2.34 or newer (Debian 12, Ubuntu 22.04)"
  version=$("$node" -p 'JSON.parse(require("node:fs").readFileSync(process.argv[1])).version' "$package")
  check_machine
}

# What a release says of itself, before anything of it is run.
check_release() {
  [ -n "$packaged" ] || (cd "$here" && sha256sum -c SHA256SUMS >/dev/null 2>&1) || fail "$here is damaged: its files are not those of SHA256SUMS"
  release_arch=$(sed -n 2p "$here/VERSION")
  [ "$release_arch" = "$arch" ] || fail "this release is for $release_arch, and this machine is $arch ($machine)"
  package=$here/tree/package.json
  node=$here/tree/runtime/bin/node
  if [ ! -x "$node" ]; then
    node=$prefix/current/runtime/bin/node
    [ -x "$node" ] || fail "an update package has no Node.js of its own, and no engine is installed in $prefix: take the whole release"
  fi
  [ ! -f "$here/THIS_IS_AN_OTAU.txt" ] || [ -e "$prefix/current" ] ||
    fail "THIS_IS_AN_OTAU.txt makes this an upgrade, and no engine is installed in $prefix"
}

check_checkout() {
  source=$(dirname -- "$here")
  package=$source/package.json
  [ -f "$here/runtime-tree.ts" ] || fail "$here is neither a release nor a checkout of Gateway Engine"
  [ -f "$source/dist/gwe.js" ] || fail "$source is not built: run 'npm ci' in it (as a user who may write there)"
  node=$source/node_modules/node-linux-$arch/bin/node
  [ -x "$node" ] || fail "$source has no Node.js runtime for $machine: run 'npm ci' in it on such a machine"
}

# Megabytes. The engine and pm2 idle at about 120, with an update's worker 200.
least_ram=192
# A version, and as much again for the next one beside it, is not asked for: applications and queue need a little.
least_flash=160

check_machine() {
  ram=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
  [ -z "$ram" ] || [ "$ram" -ge $((least_ram * 1000)) ] || fail "$((ram / 1000)) MB of memory; $least_ram are needed"
  place=$prefix
  while [ ! -d "$place" ]; do place=$(dirname -- "$place"); done
  # BusyBox' df finds nothing in a chroot.
  flash=$(df -Pk "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')
  [ -z "$flash" ] || [ "$flash" -ge $((least_flash * 1000)) ] || fail "$((flash / 1000)) MB free in $place; $least_flash are needed"
}

create_group() {
  ! grep -q "^$group:" /etc/group || return 0
  if command -v groupadd >/dev/null; then
    groupadd --system "$group"
  elif command -v addgroup >/dev/null; then
    # BusyBox has -S, Debian's addgroup --system.
    addgroup -S "$group" 2>/dev/null || addgroup --system "$group"
  else
    fail "cannot create the group $group: neither groupadd nor addgroup is installed"
  fi
}

# Beside the version that runs; `current` moves only when the new one is complete, tried and on the disk.
place_program() {
  previous=$(readlink "$prefix/current" 2>/dev/null) || previous=''
  mkdir -p "$prefix/versions"
  # Left by an installation, or a start on trial, that was cut off; nothing runs from there.
  rm -rf "$prefix"/versions/.new.* "$prefix"/.current.* "$prefix"/.trial.* "$prefix"/.trial-failed.*
  new=$prefix/versions/.new.$$
  trap 'rm -rf "$new"' EXIT
  trap 'exit 1' INT TERM HUP
  if [ -d "$here/tree" ]; then
    # What dpkg has unpacked is linked to, not copied: an upgrade of the package replaces its files, and changes none.
    { [ -n "$packaged" ] && cp -al "$here/tree" "$new" 2>/dev/null; } || copy_tree "$here/tree" "$new"
    # An update package goes on with the runtime that is installed; it has links to it, not a copy, where that can be.
    [ -d "$new/runtime" ] || cp -al "$prefix/current/runtime" "$new/runtime" 2>/dev/null ||
      cp -R "$prefix/current/runtime" "$new/runtime"
  else
    "$node" "$source/packaging/runtime-tree.ts" "$new"
  fi
  # Whatever the umask of the checkout was: apps of any user call gdc.
  chown -R 0:0 "$new"
  chmod -R u=rwX,go=rX "$new"
  [ "$("$new/bin/gwe" --version)" = "$version" ] || fail "the new version does not run"
  (cd "$new" && runtime/bin/node -e 'new (require("better-sqlite3"))(":memory:")') || fail "SQLite does not run"
  name=$version
  if [ -n "$previous" ] && is_same "$prefix/$previous" "$new"; then
    rm -rf "$new"
    say "Version $version is installed already: nothing to replace."
    return
  fi
  number=2
  while [ -e "$prefix/versions/$name" ]; do
    name=$version-$number
    number=$((number + 1))
  done
  sync
  mv "$new" "$prefix/versions/$name"
  begin_trial "$name"
  # Over one of the same number: after a power cut numbers come again.
  ln -sfn "versions/$name" "$prefix/.current.$$"
  # rename(2): at every instant `current` leads to one whole version.
  mv -T "$prefix/.current.$$" "$prefix/current" 2>/dev/null || replace_link "$prefix/.current.$$" "$prefix/current"
  sync
  say "Version $version is in $prefix/versions/$name."
  remove_old "$name"
}

copy_tree() {
  rm -rf "$2"
  cp -R "$1" "$2"
}

# A version that is new on an activated gateway has to check in, or the last one that did is put back: bin/trial.sh.
begin_trial() { # $1 name of the new version
  rm -f "$prefix/trial-failed" "$prefix/trial-told"
  grep -q '^ *cik *[=:] *[0-9A-Za-z]\{40\}' "$etc/Gateway.cfg" 2>/dev/null || return 0
  former=${previous#versions/}
  [ "$(trial_entry version)" != "$former" ] || former=$(trial_entry previous)
  [ -x "$prefix/versions/$former/bin/gwe" ] || return 0
  printf 'version=%s\nprevious=%s\nstarts=0\n' "$1" "$former" >"$prefix/.trial.$$"
  mv "$prefix/.trial.$$" "$prefix/trial"
  sync
}

trial_entry() { # $1 version or previous
  sed -n "s/^$1=//p" "$prefix/trial" 2>/dev/null || true
}

is_same() { # $1 and $2: two trees with the same files
  [ -d "$1" ] && diff -r "$1" "$2" >/dev/null 2>&1
}

# Where mv has no -T (BusyBox without that option), it would move into the directory that the link leads to.
replace_link() {
  "$node" -e 'require("node:fs").renameSync(process.argv[1], process.argv[2])' "$1" "$2"
}

# Keeps the new version, the one before it, and whatever a process runs from: pm2's daemon goes on with its own version.
remove_old() { # $1 name of the new version
  for directory in "$prefix"/versions/*; do
    case $directory in
      "$prefix/versions/$1" | "$prefix/$previous" | "$prefix/versions/$(trial_entry previous)") continue ;;
    esac
    is_in_use "$directory" || rm -rf "$directory"
  done
}

is_in_use() {
  for exe in /proc/[0-9]*/exe; do
    case $(readlink "$exe" 2>/dev/null) in "$1"/*) return 0 ;; esac
  done
  return 1
}

place_config() {
  mkdir -p "$etc"
  for file in Gateway.cfg Engine.config; do
    [ ! -e "$etc/$file" ] || continue
    temporary=$etc/.$file.$$
    # Of the group before anybody can read it, and complete before it has its name.
    (umask 077 && cat "$here/config/$file" >"$temporary")
    if [ "$file" = Gateway.cfg ]; then
      chgrp "$group" "$temporary"
      chmod 0640 "$temporary"
    else
      chmod 0644 "$temporary"
    fi
    mv "$temporary" "$etc/$file"
    say "Configuration from a template: $etc/$file"
  done
}

# Ours where it leads into an installation, whole or gone.
remove_link() {
  case $(readlink "$1" 2>/dev/null) in "$prefix"/*) rm -f "$1" ;; esac
}

place_link() { # $1 below the program, $2 where it is found
  [ "$(readlink "$2")" = "$prefix/current/$1" ] && return
  mkdir -p "$(dirname -- "$2")"
  ln -sf "$prefix/current/$1" "$2"
}

place_links() {
  for name in gwe gdc gmq; do
    [ ! -e "$links/$name" ] || [ -L "$links/$name" ] || fail "$links/$name is somebody else's file: move it away"
    place_link "bin/$name" "$links/$name"
    page=man/man1/$name.1 completion=bash-completion/completions/$name
    place_link "share/$page" "$manual/$page"
    place_link "share/$completion" "$manual/$completion"
  done
  place_supervisorctl
}

# Whether all of supervisord's programs are this engine's now (docs/take-over.md).
took_over() {
  state=/var/lib/gateway-engine/take-over/state.json
  grep -q '"phase": "committed"' "$state" 2>/dev/null && ! grep -q '"supervisorUnit": null' "$state"
}

# For scripts made for the original engine. Where there is a supervisord, its own must not be hidden.
place_supervisorctl() {
  name=supervisorctl
  if ! took_over && (PATH=$PATH:/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin && command -v supervisord) >/dev/null; then
    remove_link "$links/$name"
    say "supervisord is installed here: ours is not on PATH, but at $prefix/current/bin/$name."
  elif [ ! -e "$links/$name" ] || [ -L "$links/$name" ]; then
    place_link "bin/$name" "$links/$name"
  else
    say "note: $links/$name is somebody else's file and is kept"
  fi
}

# Python apps import exo and GatewayEngine. An app that needs them says so itself: the engine runs without.
place_python_packages() {
  "$prefix/current/python/link.sh" install "$prefix/current/python" || say "note: the Python packages could not be linked"
}

place_units() {
  if [ -n "$packaged" ]; then
    # Of an earlier installation from an archive: they would hide the package's.
    for unit in "$engine" "$pm2" "$apps"; do rm -f "$units/$unit" "$wants/$apps"; done
    return
  fi
  if ! has_systemd; then
    place_init_script
    return
  fi
  mkdir -p "$units" "$wants"
  for unit in "$engine" "$pm2" "$apps"; do
    place_for_prefix "$here/systemd/$unit" "$units/$unit"
  done
  if [ -n "$beside" ]; then
    systemctl daemon-reload
    return
  fi
  # What `systemctl enable` does, and as good without a systemctl or a running systemd. A unit that the operator
  # disabled stays so over upgrades.
  if [ -z "$previous" ]; then ln -sf "$units/$engine" "$wants/$engine"; fi
  ln -sf "$units/$apps" "$wants/$apps"
  ! systemd_runs || systemctl daemon-reload
}

place_for_prefix() { # $1 file of the release, $2 where it goes
  new_file=$(dirname -- "$2")/.$(basename -- "$2").$$
  sed "s|/opt/gateway-engine/|$prefix/|g" "$1" >"$new_file"
  [ ! -x "$1" ] || chmod 0755 "$new_file"
  mv "$new_file" "$2"
}

# sysvinit has links made for it; BusyBox' usual rcS runs what is called S??*, in order.
place_init_script() {
  if command -v update-rc.d >/dev/null && [ -d "$init" ]; then
    place_for_prefix "$here/sysv/gateway-engine" "$init/gateway-engine"
    update-rc.d gateway-engine defaults >/dev/null
  elif [ -x "$init/rcS" ]; then
    place_for_prefix "$here/sysv/gateway-engine" "$init/S90gateway-engine"
  else
    say "Neither systemd nor an init that is known: have $prefix/current/bin/gwe started at boot, and again whenever it ends."
  fi
}

init_script() { # prints the one that is installed
  for script in "$init/gateway-engine" "$init/S90gateway-engine"; do
    [ ! -x "$script" ] || { echo "$script" && return; }
  done
  return 1
}

report() {
  if [ -n "$now" ] && systemd_runs; then
    if systemctl restart "$engine"; then
      say "The engine is started: systemctl status gateway-engine; journalctl -u gateway-engine"
    else
      say "note: the engine does not run yet and is tried again every 3 s: journalctl -u gateway-engine says why"
    fi
  elif [ -n "$now" ] && ! systemd_runs && script=$(init_script); then
    "$script" restart
  elif [ -n "$now" ]; then
    say "Nothing is started: no init that is known runs here."
  elif [ -z "$packaged" ] && systemd_runs && systemctl is-active --quiet "$engine"; then
    say "The former version goes on running. To change over, applications running on:"
    say "  systemctl restart gateway-engine"
  fi
  [ -z "$previous$beside" ] || return 0
  say ""
  say "Next:"
  say "  gwe setup --start   # who this gateway is; also from a file: docs/first-boot.md"
  say "  gwe status"
}

# ---- a release's own: vendors' commands and applications, and a log

vendor_commands() { # $1 pre or post
  script=$here/init/$1_install_commands.sh
  [ ! -f "$script" ] || sh "$script" || fail "$script failed"
}

# Applications need supervision to be installed, and nothing may be started in a factory's chroot: they wait for the
# engine's next start, which gateway-engine-apps.service sees to.
place_apps() {
  waiting=/var/lib/gateway-engine/apps_to_install
  for app in "$here"/apps_to_install/*.tar.gz; do
    [ -f "$app" ] || continue
    mkdir -p "$waiting"
    cp "$app" "$waiting/.new"
    mv "$waiting/.new" "$waiting/$(basename -- "$app")"
    say "To be installed when the engine starts: $(basename -- "$app")"
  done
}

install_apps() {
  [ -n "$now" ] && systemd_runs && [ -n "$(ls /var/lib/gateway-engine/apps_to_install 2>/dev/null)" ] || return 0
  systemctl restart "$apps" || say "note: not every application is installed: journalctl -u $apps says why"
}

perform() {
  check_source
  vendor_commands pre
  create_group
  place_program
  place_config
  [ -n "$beside" ] || place_links
  [ -n "$beside" ] || place_python_packages
  place_units
  place_apps
  # A unit that a power cut left empty would count as switched off.
  sync
  report
  install_apps
  vendor_commands post
}

here=$(cd -- "$(dirname -- "$0")" && pwd -P)
if [ "$action" = uninstall ]; then
  uninstall
elif [ -z "$packaged" ] && [ -d "$here/tree" ] && [ -w "$here" ]; then
  log=$here/gwe_install_$(date +%Y%m%d_%H%M%S).log
  # A pipe's exit status is its last command's: the installation's own comes by way of a file.
  { set +e; (set -e; perform) 2>&1; echo $? >"$log.status"; } | tee "$log"
  status=$(cat "$log.status")
  rm -f "$log.status"
  exit "$status"
else
  perform
fi
