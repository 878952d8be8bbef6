#!/bin/sh
# Called by the two units, which need an order that systemd's dependencies can't express: a restart or crash of the
# engine leaves the applications alone, a stop of the engine stops them, and returns when they have ended; whenever both
# are stopped, the engine ends first. (PartOf= would restart them, BindsTo= and PropagatesStopTo= stop them at a crash;
# After= together with a stop in ExecStopPost= would wait for itself.)
set -u
engine=gateway-engine.service
pm2=gateway-engine-pm2.service
installers=gateway-engine-installers.slice

# Prints the type of the engine's job that systemd works on or has queued: stop, restart, start or nothing.
engine_job() {
  systemctl list-jobs --no-legend --full "$engine" | while read -r _ unit type _; do
    [ "$unit" != "$engine" ] || echo "$type"
  done
}

case ${1-} in
  engine-stopped)
    # The pause before a restart is spent here, and not in RestartSec=: a stop in that state would pass by this.
    checks=6
    while :; do
      case $(engine_job) in
        stop) exec systemctl stop "$pm2" "$installers" ;;
        # A start that failed is a job until this here ends.
        '' | start) ;;
        *) exit 0 ;;
      esac
      [ "$checks" -gt 0 ] || exit 0
      checks=$((checks - 1))
      sleep 0.5
    done
    ;;
  pm2-stopping)
    # Bounded by the unit's TimeoutStopSec. In stop-post it is the engine that waits for us.
    while :; do
      state=$(systemctl show --property=SubState --value "$engine") || exit 0
      case $state in
        stop | stop-sigterm | stop-sigkill | stop-watchdog) ;;
        # It runs on, and would start again what is stopped one by one.
        start | running) [ "$(engine_job)" = stop ] || exit 0 ;;
        *) break ;;
      esac
      sleep 0.1
    done
    # By priority. What this does not end, or not in time, pm2's daemon ends, one after the other.
    timeout 80 "${0%/*}/../bin/gwe" pm2-stop || true
    ;;
  *)
    echo "usage: stop-order.sh engine-stopped|pm2-stopping" >&2
    exit 2
    ;;
esac
