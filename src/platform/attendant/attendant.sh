#!/bin/sh
# Runs a script of a package, outlives the engine that started it, and keeps what comes of it (docs/ota.md, "Installers").
# usage: attendant.sh DIRECTORY LIMIT KILL_AFTER OUTPUT_BYTES PROGRAM [ARGUMENT]…   (LIMIT, KILL_AFTER: seconds)
# Runs under dash and BusyBox ash, as the leader of a process group of its own. Nothing is run before a line comes on
# standard input; at its end, the engine's death, nothing is run at all. In DIRECTORY, which is its own, it makes
#   alive              a FIFO that it holds open: closed, it has ended
#   output, output.1   what the program printed, the end of it at least; in `dropped`, how many bytes came before that
#   group              the program's pid, which leads a process group too
#   timed-out          LIMIT was reached
#   status             "ended|timed-out STATUS DROPPED LIMIT", on disk with the output: the program has ended
set -u
group=''
dir=$1 limit=$2 kill_after=$3 output_bytes=$4
shift 4

IFS= read -r _ || exit 75
exec </dev/null
mkfifo -m 600 "$dir/alive" "$dir/printed" || exit 73
exec 9<>"$dir/alive"

# A fraction of a second, where this `sleep` knows any.
nap() { sleep "$1" 2>/dev/null || sleep 1; }

# A file for the newest output and one for what was before it: so much is kept at least, and no more than half a
# megabyte beyond it in each.
keep_output() {
  size=0 older=0 dropped=0
  while dd bs=32768 count=16 >>"$dir/output" 2>/dev/null; do
    before=$size
    size=$(($(wc -c <"$dir/output")))
    [ "$size" -gt "$before" ] || return 0
    [ "$size" -ge "$output_bytes" ] || continue
    dropped=$((dropped + older))
    [ "$dropped" = 0 ] || echo "$dropped" >"$dir/dropped"
    mv -f "$dir/output" "$dir/output.1"
    older=$size size=0
  done
  # The disk takes no more. That is no reason to end the program.
  cat >/dev/null
}

signal_group() {
  { [ -n "$group" ] || read -r group <"$dir/group"; } && kill "-$1" "-$group"
} 2>/dev/null

keep_time() {
  # Now, so that the limit holds whatever becomes of the directory.
  until read -r group <"$dir/group"; do nap 0.1; done 2>/dev/null
  sleep "$limit"
  : >"$dir/timed-out"
  signal_group TERM
  sleep "$kill_after"
  signal_group KILL
}

write_status() {
  dropped=0
  [ ! -e "$dir/dropped" ] || read -r dropped <"$dir/dropped"
  echo "$end $status $dropped $limit" >"$dir/.status" &&
    sync "$dir/.status" "$dir/output"* &&
    mv -f "$dir/.status" "$dir/status" &&
    sync "$dir"
} 2>/dev/null

: >"$dir/output"
keep_output <"$dir/printed" 9>&- &
reader=$!
keep_time 9>&- &
# In the foreground: what a shell starts in the background ignores SIGINT for good. In a subshell: what this shell has to
# say of a death by signal is no output of the program's.
(exec setsid /bin/sh -c 'echo "$$" >"$0/group" && exec "$@"' "$dir" "$@") >"$dir/printed" 2>&1 9>&-
status=$?
end=ended
if [ -e "$dir/timed-out" ]; then
  end=timed-out
  # What has outlived the leader.
  signal_group KILL
elif [ "$status" -gt 128 ]; then
  # By a signal. Where everything is being ended, so is this process in a moment: then nothing is known of the script.
  nap 0.3
fi
# A child in the background may hold the output open for ever.
{ nap 0.25 && kill "$reader"; } 2>/dev/null 9>&- &
wait "$reader" 2>/dev/null
trap '' TERM
kill -TERM "-$$"
wait
tries=5
until write_status; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || exit 74
  sleep 1
done
