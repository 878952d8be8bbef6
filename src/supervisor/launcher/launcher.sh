#!/bin/sh
# shellcheck disable=SC1091,SC2154,SC2317 # `spec` sets gwe_ variables and calls exec_app; traps call functions
# Keeps one app's process under supervisord's policy, as a child of pm2 (docs/supervision.md).
# usage: launcher.sh APP_RUN_DIR [probe]   (APP_RUN_DIR holds `spec`, written by the engine; probe: run health_command)
# Runs under dash and BusyBox ash. One launcher runs the app once; by its exit status pm2 starts the next:
restart=75 finished=100 gave_up=102

gwe_dir=$1 gwe_probing=${2-}
# pm2's end of standard input tells when pm2 is gone. Its other pipes (3: its message channel) are of no use here.
[ -n "$gwe_probing" ] || exec 9<&0 </dev/null >/dev/null 2>&1 3>&-
umask 077
# A missing spec can't be run, now or later: the engine writes it before it asks pm2 for a start.
[ -r "$gwe_dir/spec" ] || exit "$gave_up"
. "$gwe_dir/spec"

# ---- facts of the machine

now_cs() { # sets now: centiseconds since boot, a clock that never steps
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
}

start_ticks() { # $1 pid; sets ticks: when it started, empty when it is gone
  ticks='' stat=''
  while read -r line; do stat="$stat $line"; done 2>/dev/null <"/proc/$1/stat"
  # The command's name may hold spaces and parentheses: fields are counted from the last one.
  case $stat in *') '*) ;; *) return ;; esac
  # shellcheck disable=SC2086
  set -- ${stat##*') '}
  case $1 in Z | X) ;; *) ticks=${20} ;; esac
}

# A process is named pid:ticks:boot, so that neither a recycled pid nor a file from before a reboot misleads.
is_alive() { # $1 pid:ticks:boot
  case $1 in [0-9]*:[0-9]*:"$boot") ;; *) return 1 ;; esac
  start_ticks "${1%%:*}"
  [ -n "$ticks" ] && [ "$1" = "${1%%:*}:$ticks:$boot" ]
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

# ---- what the engine reads

write_state() { # $1 state
  now_cs
  printf '%s\n' "boot=$boot" "generation=$gwe_generation" "state=$1" "since=$now" "launcher=$token" \
    "startsecs=$gwe_startsecs" "stopsignal=$gwe_stopsignal" "stopwaitsecs=$gwe_stopwaitsecs" \
    "stopasgroup=$gwe_stopasgroup" "killasgroup=$gwe_killasgroup" \
    "child=$child_id" "started=$started" "ended=$ended" "exit=$exit_status" \
    "signal=$signal" "failures=$failures" "restarts=$restarts" "final=$final" "detail=$detail" \
    >"$gwe_dir/.state.$$" && mv -f "$gwe_dir/.state.$$" "$gwe_dir/state"
}

read_previous() { # sets previous_* from the state of the launcher before, of this boot and this start
  previous_state='' previous_generation='' previous_boot='' previous_started=''
  [ -r "$gwe_dir/state" ] || return
  while IFS='=' read -r key value; do
    case $key in
      boot) previous_boot=$value ;;
      generation) previous_generation=$value ;;
      state) previous_state=$value ;;
      since) previous_since=$value ;;
      started) previous_started=$value ;;
      ended) previous_ended=$value ;;
      exit) previous_exit=$value ;;
      signal) previous_signal=$value ;;
      failures) previous_failures=$value ;;
      restarts) previous_restarts=$value ;;
      detail) previous_detail=$value ;;
    esac
  done <"$gwe_dir/state"
}

send() { # $1 signal, $2 pid, $3 not empty: to its whole group
  if [ -n "$3" ]; then
    # One that was just forked leads no group yet.
    kill "-$1" "-$2" || kill -s "$1" "$2"
  else
    kill -s "$1" "$2"
  fi
}

# ---- whatever an earlier launcher left running is ended first: never two at once

end_stray() { # $1 process, $2 signal, $3 and $4 not empty: signal, KILL to its group
  is_alive "$1" || return
  send "$2" "${1%%:*}" "$3"
  now_cs
  deadline=$((now + gwe_stopwaitsecs * 100))
  while is_alive "$1"; do
    [ -n "$stopping" ] && deadline=0
    now_cs
    [ "$now" -ge "$deadline" ] && send KILL "${1%%:*}" "$4"
    nap
  done
}

end_stray_app() { # $1 process
  end_stray "$1" "$gwe_stopsignal" "$gwe_stopasgroup" "$gwe_killasgroup"
}

end_predecessor() {
  former=''
  [ -r "$gwe_dir/launcher" ] && read -r former <"$gwe_dir/launcher"
  # From here on a child that the former launcher just forked sees that it is no longer wanted, and quits.
  printf '%s\n' "$token" >"$gwe_dir/.launcher.$$" && mv -f "$gwe_dir/.launcher.$$" "$gwe_dir/launcher"
  end_stray "$former" TERM '' ''
  [ -r "$gwe_dir/child" ] && read -r former <"$gwe_dir/child" && end_stray_app "$former"
}

# ---- signals: whatever asks the launcher to end, the app is asked by its own stop signal

request_stop() {
  [ -z "$stopping" ] || return
  stopping=1
  [ -z "$sleeper" ] || kill "$sleeper"
  [ -z "$child" ] || stop_child
}

stop_child() {
  send "$gwe_stopsignal" "$child" "$gwe_stopasgroup"
  (
    trap '' INT HUP QUIT TERM USR1
    now_cs
    deadline=$((now + gwe_stopwaitsecs * 100))
    # Asked by start time as well: the number may be somebody else's by then.
    while is_alive "$child_id"; do
      now_cs
      [ "$now" -lt "$deadline" ] || send KILL "$child" "$gwe_killasgroup"
      nap
    done
  ) 9<&- &
  killer=$!
  write_state STOPPING
}

watch_pm2() { # in the background: tells when pm2 is gone, or, when the launcher is, ends the app
  trap '' INT HUP QUIT USR1
  while read -r line <&9; do :; done
  if is_alive "$token"; then
    kill -s USR1 "$$"
    # It ends this watcher when the app has ended. Should it be killed before that, the app is not left alone.
    while is_alive "$token"; do nap; done
  fi
  if [ -r "$gwe_dir/launcher" ] && read -r line <"$gwe_dir/launcher" && [ "$line" = "$token" ]; then
    # No other launcher has taken over; if one does now, both ask the same process to stop.
    end_stray_app "$child_id"
  fi
}

pause() { # $1 seconds, cut short by a request to stop
  [ -z "$stopping" ] || return
  sleep "$1" 9<&- &
  sleeper=$!
  [ -z "$stopping" ] || kill "$sleeper"
  wait "$sleeper"
  sleeper=''
}

# ---- the app

spawn_error() { # $1 reason; in the app's process, before it is the app
  printf 'supervisor: %s\nsupervisor: child process was not spawned\n' "$1" >&2
  [ -n "$gwe_probing" ] || printf '%s\n' "$1" >"$gwe_dir/spawn-error"
  exit 127
}

# The app's standard input is a pipe that never gives anything, and ends with the launcher. Held open by the launcher.
open_stdin() {
  [ -p "$gwe_dir/stdin" ] || mkfifo "$gwe_dir/stdin" || return
  exec 6<>"$gwe_dir/stdin"
  # Opened for the app while there is a writer: it need not wait for one.
  exec 5<"$gwe_dir/stdin"
}

hold_fifos() { # what is in a FIFO stays there as long as somebody has it open: the launcher, until logd has read it
  [ -n "$gwe_stdout_fifo$gwe_stderr_fifo" ] || return
  for gwe_fifo in "$gwe_stdout_fifo" "$gwe_stderr_fifo"; do
    # Apps that aren't root open it too, as /dev/stderr; the directory around it lets nobody else near it.
    [ -z "$gwe_fifo" ] || [ -p "$gwe_fifo" ] || mkfifo -m 622 "$gwe_fifo"
  done
  # For reading too: a writer neither waits for logd nor is it ended by SIGPIPE while logd is away.
  [ ! -p "$gwe_stdout_fifo" ] || exec 7<>"$gwe_stdout_fifo"
  [ ! -p "$gwe_stderr_fifo" ] || exec 8<>"$gwe_stderr_fifo"
  printf '' >"$gwe_log_requests/open.$$"
}

open_log() { # $1 stream's descriptor, $2 file, $3 FIFO, $4 the launcher's descriptor of it
  [ -z "$2" ] || printf '' >>"$2" || spawn_error "couldn't open $2"
  if [ -n "$3" ] && { [ -z "$2" ] || [ -f "$2" ]; }; then
    [ -p "$3" ] || spawn_error "couldn't make $3"
    eval "exec $1>&$4"
  else
    # A terminal, a pipe: nothing to rotate.
    eval "exec $1>>\"\$2\""
  fi
}

open_logs() {
  open_log 1 "$gwe_stdout" "$gwe_stdout_fifo" 7
  case $gwe_stderr in
    redirect) exec 2>&1 ;;
    *) open_log 2 "$gwe_stderr" "$gwe_stderr_fifo" 8 ;;
  esac
  exec 7>&- 8>&-
}

logd_is_alive() {
  logd=''
  read -r logd 2>/dev/null <"${gwe_log_requests%/*}/process"
  is_alive "$logd"
}

flush_logs() { # what the app has written is in its log files before its end is told
  [ -n "$gwe_stdout_fifo$gwe_stderr_fifo" ] || return
  request=$gwe_log_requests/flush.$$
  printf '' >"$request" || return
  now_cs
  deadline=$((now + 200))
  while [ -e "$request" ]; do
    now_cs
    [ "$now" -lt "$deadline" ] || break
    # Where pm2's daemon ends, no logd comes back, and apps are stopped one after another: none is held up.
    [ -z "$stopping" ] || logd_is_alive || break
    sleep 0.01 || sleep 1
  done
  [ -e "$request" ] || return
  # logd is away. This keeps the FIFOs, and what is in them, for another minute.
  (
    trap '' INT HUP QUIT TERM USR1
    tries=60
    while [ -e "$request" ] && [ "$tries" -gt 0 ]; do
      tries=$((tries - 1))
      sleep 1
    done
  ) 9<&- &
}

plan_user() { # sets whom to change to, and how; gwe_uid empty: no change
  gwe_uid='' gwe_change=''
  [ -n "$gwe_user" ] || return
  # shellcheck disable=SC2015 # either id failing is the same failure
  gwe_uid=$(id -u "$gwe_user" 2>/dev/null) && gwe_gid=$(id -g "$gwe_user" 2>/dev/null) || spawn_error "couldn't setuid to $gwe_user: no such user"
  me=$(id -u)
  if [ "$me" = "$gwe_uid" ]; then
    gwe_uid=''
  elif [ "$me" != 0 ]; then
    spawn_error "couldn't setuid to $gwe_uid: Can't drop privilege as nonroot user"
  elif setpriv --help 2>&1 | grep -e --init-groups >/dev/null; then
    gwe_change=$(command -v setpriv)
  elif su --help 2>&1 | grep BusyBox >/dev/null; then
    gwe_change=su
    gwe_su=$(command -v su)
  else
    spawn_error "couldn't setuid to $gwe_uid: neither util-linux' setpriv nor BusyBox' su is installed"
  fi
}

plan_exec() { # the tools are found by the launcher's PATH, not the app's
  gwe_setsid=$(command -v setsid) gwe_timeout=''
  # A shell without job control has INT and QUIT ignored in what it runs in the background; an app must not.
  case $(grep SigIgn /proc/self/status 2>/dev/null) in
    *0) gwe_reset='' ;;
    *) if env --default-signal=INT,QUIT true 2>/dev/null; then gwe_reset=$(command -v env); else gwe_reset=node; fi ;;
  esac
}

is_program() { # $1 a command's name; the shell's own words and functions are none
  (
    IFS=:
    set -f
    for place in $PATH; do
      [ -f "${place:-.}/$1" ] && [ -x "${place:-.}/$1" ] && exit 0
    done
    exit 1
  )
}

why_not_there() { # $1 a directory's path
  if [ -d "$1" ]; then echo EACCES; elif [ -e "$1" ]; then echo ENOTDIR; else echo ENOENT; fi
}

# Called by the spec, under the app's environment (which can't hold a gwe_ variable), with the command's words.
exec_app() {
  case $1 in
    */*)
      [ -e "$1" ] || spawn_error "can't find command '$1'"
      if [ -d "$1" ] || [ ! -x "$1" ]; then spawn_error "command at '$1' is not executable"; fi
      ;;
    *) is_program "$1" || spawn_error "can't find command '$1'" ;;
  esac
  # env reads a word with "=" as a variable.
  case $1 in *=*) set -- /bin/sh -c 'exec "$@"' sh "$@" ;; esac
  if [ -n "$gwe_uid" ] && [ "$gwe_change" = su ]; then
    set -- "$gwe_su" -m -s /bin/sh "$gwe_user" -c 'exec "$@"' sh "$@"
  elif [ -n "$gwe_uid" ]; then
    set -- "$gwe_change" "--reuid=$gwe_uid" "--regid=$gwe_gid" --init-groups -- "$@"
  fi
  case $gwe_reset in
    '') ;;
    node) set -- "$gwe_node" --disable-warning=ExperimentalWarning -e "$gwe_execve" -- "$@" ;;
    *) set -- "$gwe_reset" --default-signal=INT,QUIT -- "$@" ;;
  esac
  [ -z "$gwe_setsid" ] || set -- "$gwe_setsid" "$@"
  [ -z "$gwe_timeout" ] || set -- "$gwe_timeout" -s KILL "$gwe_healthtimeout" "$@"
  exec "$@"
}

become_app() {
  # Python ignores these two, and so did supervisord's children.
  trap '' PIPE XFSZ
  read -r pid _ </proc/self/stat
  start_ticks "$pid"
  printf '%s\n' "$pid:$ticks:$boot" >"$gwe_dir/.child.$pid" && mv -f "$gwe_dir/.child.$pid" "$gwe_dir/child"
  # A later launcher wrote its name before it read ours: one of the two sees the other.
  read -r line <"$gwe_dir/launcher"
  [ "$line" = "$token" ] || exit 0
  umask 022
  [ ! -p "$gwe_dir/stdin" ] || exec <&5 5<&-
  open_logs
  plan_user
  plan_exec
  enter_place
  gwe_exec
}

enter_place() {
  umask "$gwe_umask"
  cd -- "$gwe_directory" 2>/dev/null || spawn_error "couldn't chdir to $gwe_directory: $(why_not_there "$gwe_directory")"
  # The shell exports these by itself; supervisord's child has them only if they were there.
  unset PWD OLDPWD SHLVL
}

become_probe() { # the engine has given it a process group, and judges by how it ends
  gwe_setsid='' gwe_reset=''
  # The engine keeps the time; should it die, this one bounds what it leaves behind.
  gwe_timeout=$(command -v timeout) || gwe_timeout=''
  plan_user
  enter_place
  gwe_probe
}

await_child() { # sets status
  while :; do
    wait "$child"
    status=$?
    # A trapped signal ends `wait` early; a child that was waited for can't be signalled any more.
    kill -0 "$child" || break
  done
  # `wait` may have been cut short by a signal just when the child ended: asked again, it still knows.
  wait "$child"
  again=$?
  [ "$again" = 127 ] || status=$again
}

note_end() { # an exit status above 128 may be a signal's or the app's own: the job table knows which
  now_cs
  ended=$now exit_status=$status signal=''
  jobs -l >"$gwe_dir/.jobs.$$"
  known=''
  while read -r line; do
    case $line in *" $child Done"*) known=exited ;; *" $child "*) known=killed ;; esac
  done <"$gwe_dir/.jobs.$$"
  rm -f "$gwe_dir/.jobs.$$"
  if [ "$status" -gt 128 ] && [ "$status" -le 192 ] && [ "$known" != exited ]; then
    exit_status='' signal=$((status - 128))
  fi
}

run_app() {
  rm -f "$gwe_dir/spawn-error"
  now_cs
  hold_fifos
  # What is known of the last end stays until there is another.
  started=$now detail=''
  open_stdin
  become_app 6<&- 9<&- &
  forked=$!
  exec 5<&-
  start_ticks "$forked"
  # In this order: a request to stop that comes now finds either no child yet, or all that is known of it.
  child_id=$forked:$ticks:$boot
  child=$forked
  watch_pm2 &
  watcher=$!
  write_state STARTING
  # One that came before there was a child, or in the middle of the line above.
  if [ -n "$stopping" ]; then
    if [ -n "$killer" ]; then write_state STOPPING; else stop_child; fi
  fi
  await_child
  note_end
  # Before anything else: the number is free now, and must not be signalled when someone else has it.
  child=''
  [ -z "$killer" ] || kill -s KILL "$killer"
  kill -s KILL "$watcher"
  [ ! -s "$gwe_dir/spawn-error" ] || read -r detail <"$gwe_dir/spawn-error"
  flush_logs
}

expected_exit() {
  case " $gwe_exitcodes " in *" ${exit_status:-signal} "*) return 0 ;; *) return 1 ;; esac
}

finish() { # the policy: tells pm2 whether to start the next launcher
  if [ -n "$stopping" ]; then
    write_state STOPPED
    exit "$restart"
  fi
  if [ $((ended - started)) -lt $((gwe_startsecs * 100)) ] || [ -s "$gwe_dir/spawn-error" ]; then
    failures=$((failures + 1))
    if [ "$failures" -gt "$gwe_startretries" ]; then
      final=1
      write_state FATAL
      exit "$gave_up"
    fi
    write_state BACKOFF
    exit "$restart"
  fi
  failures=0
  if [ "$gwe_autorestart" = never ] || { [ "$gwe_autorestart" = unexpected ] && expected_exit; }; then
    final=1
    write_state EXITED
    exit "$finished"
  fi
  write_state EXITED
  exit "$restart"
}

[ -z "$gwe_probing" ] || become_probe

# ---- one start

stopping='' child='' child_id='' sleeper='' killer='' started='' ended='' exit_status='' signal='' detail='' final=''
failures=0 restarts=0
trap request_stop INT TERM HUP QUIT USR1
read -r boot </proc/sys/kernel/random/boot_id
start_ticks "$$"
token=$$:$ticks:$boot
read_previous
end_predecessor
if [ "$previous_boot" = "$boot" ] && [ "$previous_generation" = "$gwe_generation" ]; then
  failures=${previous_failures:-0} restarts=$((${previous_restarts:-0} + 1))
  started=$previous_started ended=$previous_ended exit_status=$previous_exit signal=$previous_signal
  detail=$previous_detail
  now_cs
  if [ "$previous_state" = BACKOFF ]; then
    write_state BACKOFF
    # Each wait is one second longer than the one before, counted from the end of the failed start.
    left=$((failures * 100 - (now - previous_since)))
  else
    failures=0
    # An app that ends at once with startsecs=0 would otherwise be started as fast as the processor can.
    left=$((100 - (now - ${previous_started:-0})))
  fi
  [ "$left" -le 0 ] || pause "$(((left + 99) / 100))"
fi
[ -z "$stopping" ] || finish
run_app
finish
