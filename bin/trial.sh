# shellcheck shell=sh disable=SC2154 # bin/gwe sets `self`
# Sourced by bin/gwe where it starts an engine of an installation that has a new version on trial (docs/installation.md,
# "Upgrade"); never run by itself. Counts this start, on disk before the engine runs; after three that did not come to
# a check-in, the former version is put back and takes over. It must not depend on anything of the version that it judges.
# POSIX sh (dash, BusyBox ash).

most_starts=3

trial_root=$(readlink -f "${self%/*}/..")
trial_prefix=${trial_root%/versions/*}
trial_version='' trial_previous='' trial_starts=''
if [ "$trial_prefix" != "$trial_root" ]; then
  while IFS='=' read -r trial_key trial_value; do
    case $trial_key in
      version) trial_version=$trial_value ;;
      previous) trial_previous=$trial_value ;;
      starts) trial_starts=$trial_value ;;
    esac
  done <"$trial_prefix/trial"
fi
case $trial_starts in '' | *[!0-9]*) trial_starts=0 ;; esac

trial_write() { # $1 name of the file, $2 its content; a disk that is full must not keep an engine from starting
  { printf '%s\n' "$2" >"$trial_prefix/.$1.$$" && sync && mv "$trial_prefix/.$1.$$" "$trial_prefix/$1" && sync; } 2>/dev/null ||
    rm -f "$trial_prefix/.$1.$$" 2>/dev/null
}

if [ "$trial_version" = "${trial_root##*/}" ] && [ -x "$trial_prefix/versions/$trial_previous/bin/gwe" ]; then
  if [ "$trial_starts" -lt "$most_starts" ]; then
    trial_write trial "version=$trial_version
previous=$trial_previous
starts=$((trial_starts + 1))"
  else
    echo "gwe: version $trial_version was started $trial_starts times without a check-in: $trial_previous is put back" >&2
    trial_write trial-failed "version=$trial_version
previous=$trial_previous
reason=it was started $trial_starts times without a check-in"
    # Over one that a power cut left: numbers of processes come again.
    ln -sfn "versions/$trial_previous" "$trial_prefix/.current.$$" &&
      { mv -T "$trial_prefix/.current.$$" "$trial_prefix/current" 2>/dev/null ||
        ln -sfn "versions/$trial_previous" "$trial_prefix/current"; }
    # The other way round a power cut would leave a version that nobody judges.
    sync
    rm -f "$trial_prefix/trial" "$trial_prefix/.current.$$"
    sync
    exec "$trial_prefix/versions/$trial_previous/bin/gwe"
  fi
fi
