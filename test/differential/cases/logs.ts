import type { Case } from "../case.ts";

const stop = ["until STOPPED"] as const;

/** Where a program's output goes. */
export const logCases: readonly Case[] = [
  { name: "both-in-one", conf: "command=<probe> say:out err:err say:again wait\nstdout_logfile=<log>/x.log" },
  {
    name: "apart",
    conf: "command=<probe> say:out err:err wait\nredirect_stderr=false\nstdout_logfile=<log>/x.out\nstderr_logfile=<log>/x.err",
  },
  {
    name: "automatic",
    conf: "command=<probe> say:out err:err wait\nredirect_stderr=false\nstdout_logfile=AUTO\nstderr_logfile=AUTO",
  },
  {
    name: "none",
    conf: "command=<probe> say:out err:err wait\nredirect_stderr=false\nstdout_logfile=NONE\nstderr_logfile=off",
  },
  {
    name: "only-errors",
    conf: "command=<probe> say:out err:err wait\nredirect_stderr=false\nstdout_logfile=none\nstderr_logfile=<log>/x.err",
  },
  {
    name: "redirected-file",
    conf: "command=<probe> say:out err:err wait\nredirect_stderr=true\nstdout_logfile=<log>/x.out\nstderr_logfile=<log>/x.err",
  },
  {
    name: "name-expanded",
    conf: "command=<probe> say:out wait\nstdout_logfile=<log>/%(program_name)s-%(ENV_SITE)s.log",
  },
  {
    name: "restarts-append",
    conf: "command=<probe> say:start upto:1=sleep:1.5 upto:1=exit:3 wait\nstdout_logfile=<log>/x.log",
    steps: ["until 2 starts", "until RUNNING", "stop", ...stop],
  },
  {
    name: "rotated-once",
    conf: "command=<probe> blocks:3x1 wait\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=2KB\nstdout_logfile_backups=3",
  },
  {
    name: "rotated-at-the-limit",
    conf: "command=<probe> blocks:4x1 wait\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=2KB\nstdout_logfile_backups=3",
  },
  {
    name: "rotated-dropped",
    conf: "command=<probe> blocks:15x1 wait\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=2KB\nstdout_logfile_backups=2",
  },
  {
    name: "rotated-truncated",
    conf: "command=<probe> blocks:9x1 wait\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=4KB\nstdout_logfile_backups=0",
  },
  {
    name: "rotated-burst",
    conf: "command=<probe> lines:200 wait\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=5KB\nstdout_logfile_backups=9",
    differs: { "log names": "rotation-point", "log contents": "rotation-point" },
  },
  {
    name: "never-rotated",
    conf: "command=<probe> lines:600 wait\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=0",
  },
  {
    name: "engine-defaults",
    conf: "command=<probe> blocks:55x4 wait\nstdout_logfile=<log>/x.log",
    steps: ["pause 6", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "rotated-stderr",
    conf: "command=<probe> err:x blocks:20x1 wait\nredirect_stderr=true\nstdout_logfile=<log>/x.log\nstdout_logfile_maxbytes=3KB\nstdout_logfile_backups=10",
  },
  {
    name: "capture-options",
    conf: "command=<probe> say:out wait\nstdout_logfile=<log>/x.log\nstdout_capture_maxbytes=1MB\nstdout_events_enabled=true",
    differs: { "log contents": "capture" },
  },
  {
    name: "output-of-children",
    conf: "command=/bin/sh -c 'echo a; (echo b); echo c >&2; echo d >/dev/stderr; exec sleep 1000'\nstdout_logfile=<log>/x.log\ndirectory=/",
  },
  {
    name: "last-words",
    conf: "command=<probe> lines:50 say:last exit:0\nstartsecs=0\nautorestart=false\nstdout_logfile=<log>/x.log",
    steps: ["until EXITED"],
  },
  {
    name: "no-line-end",
    conf: "command=/bin/sh -c 'printf half; exec sleep 1000'\nstdout_logfile=<log>/x.log\ndirectory=/",
  },
];
