"""An event listener of supervisord's: notes every change of state with its time, as lines of JSON in a file."""
import json, sys, time

with open(sys.argv[1], "a", buffering=1) as notes:
    notes.write("\n")
    while True:
        sys.stdout.write("READY\n")
        sys.stdout.flush()
        header = dict(pair.split(":", 1) for pair in sys.stdin.readline().split())
        if not header:
            break
        payload = dict(pair.split(":", 1) for pair in sys.stdin.read(int(header["len"])).split())
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        state = header["eventname"].replace("PROCESS_STATE_", "")
        if payload["groupname"] != "states":
            notes.write(json.dumps({"t": now, "name": payload["processname"], "state": state}) + "\n")
        sys.stdout.write("RESULT 2\nOK")
        sys.stdout.flush()
