#!/usr/bin/env -S python3 -S -E
"""The program that both supervisors run: notes what it sees, and does what its arguments say, in order.

usage: probe.py DIRECTORY ACTION...
Notes are lines of JSON in DIRECTORY/<pid>.notes, each with the monotonic clock's time.

  say:TEXT    err:TEXT        a line to standard output, to standard error
  lines:N                     numbered lines of 100 bytes to standard output, in one piece
  blocks:NxK                  N numbered blocks of K KiB, each when the one before is in a log
  sleep:SECONDS  wait         wait: for ever
  exit:STATUS    die:SIGNAL
  on:SIGNAL=stay              the signal is noted, and that is all; without it, exit status 0 follows
  on:SIGNAL=exit:STATUS       after a slow end of half a second
  fork                        a child that does the same at signals as its parent, and waits
  stdin                       notes whether standard input is silent or at its end
  upto:N=ACTION               only in the first N starts
"""
import json, os, select, signal, sys, time

directory, actions = sys.argv[1], sys.argv[2:]
notes = os.open("%s/%d.notes" % (directory, os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
reactions = {}


def note(kind, **facts):
    facts.update(kind=kind, t=time.clock_gettime(time.CLOCK_MONOTONIC))
    os.write(notes, (json.dumps(facts) + "\n").encode())


def on_signal(number, _):
    name = signal.Signals(number).name
    note("signal", signal=name, child=is_child)
    reaction = reactions.get(name[3:], "exit:0")
    if reaction != "stay":
        if name[3:] in reactions:
            time.sleep(0.5)
        os._exit(int(reaction.split(":")[1]))


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape")


def is_logged(text):
    for name in os.listdir(directory + "/log"):
        with open("%s/log/%s" % (directory, name), "rb") as file:
            if text in file.read():
                return True
    return False


def do(action):
    global is_child
    verb, _, value = action.partition(":")
    if verb == "say":
        os.write(1, (value + "\n").encode())
    elif verb == "err":
        os.write(2, (value + "\n").encode())
    elif verb == "lines":
        os.write(1, b"".join((b"%08d " % number).ljust(99, b".") + b"\n" for number in range(int(value))))
    elif verb == "blocks":
        count, size = map(int, value.split("x"))
        for number in range(count):
            os.write(1, (b"%08d " % number).ljust(1024 * size - 1, b".") + b"\n")
            # Of a log that keeps no backups it may be gone again by now.
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline and not is_logged(b"%08d " % number):
                time.sleep(0.01)
    elif verb == "sleep":
        time.sleep(float(value))
    elif verb == "wait":
        if not is_child:
            note("ready")
        while True:
            signal.pause()
    elif verb == "exit":
        note("end")
        os._exit(int(value))
    elif verb == "die":
        number = getattr(signal, "SIG" + value)
        if value not in ("KILL", "STOP"):
            signal.signal(number, signal.SIG_DFL)
        note("end")
        os.kill(os.getpid(), number)
    elif verb == "fork":
        if os.fork() == 0:
            is_child = True
            open("%s/%d.child" % (directory, os.getpid()), "w").close()
            note("forked")
            do("wait")
    elif verb == "stdin":
        ready, _, _ = select.select([0], [], [], 0.3)
        note("stdin", state="silent" if not ready else "end" if os.read(0, 1) == b"" else "data")
    elif verb == "upto":
        count, _, inner = value.partition("=")
        if starts <= int(count):
            do(inner)
    elif verb != "on":
        raise SystemExit("unknown action " + action)


is_child = False
starts = len([name for name in os.listdir(directory) if name.endswith(".notes")])
for action in actions:
    if action.startswith("on:"):
        name, _, reaction = action[3:].partition("=")
        reactions[name] = reaction
for name in ("TERM", "HUP", "INT", "QUIT", "USR1", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), on_signal)
umask = os.umask(0)
os.umask(umask)
note(
    "start",
    argv=[word for word in read("/proc/self/cmdline").split("\0")[:-1]],
    environment=sorted(entry for entry in read("/proc/self/environ").split("\0") if entry),
    cwd=os.getcwd(),
    umask="%03o" % umask,
    ids=[os.getuid(), os.getgid(), sorted(os.getgroups())],
    leads_group=os.getpgrp() == os.getpid(),
    descriptors=sorted(fd for fd in map(int, os.listdir("/proc/self/fd")) if fd > 2 and fd != notes and os.path.exists("/proc/self/fd/%d" % fd)),
    niceness=os.nice(0),
)
for action in actions:
    do(action)
note("end")
