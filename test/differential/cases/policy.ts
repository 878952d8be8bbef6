import type { Case } from "../case.ts";

const spawnError: Case["differs"] = {
  end: "spawn-error",
  "log names": "spawn-error",
  "log contents": "spawn-error",
};

/** When a program is started, and started again. */
export const policyCases: readonly Case[] = [
  {
    name: "no-autostart",
    conf: "command=<probe> wait\nautostart=false",
    steps: ["pause 1", "start", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "stop-and-start",
    conf: "command=<probe> wait",
    steps: [
      "until RUNNING",
      "stop",
      "until STOPPED",
      "start",
      "until 2 starts",
      "until RUNNING",
      "stop",
      "until STOPPED",
    ],
  },
  {
    name: "restart",
    conf: "command=<probe> wait",
    steps: ["until RUNNING", "restart", "until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "startsecs-3",
    conf: "command=<probe> wait\nstartsecs=3",
    steps: ["until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "startsecs-0",
    conf: "command=<probe> wait\nstartsecs=0",
    steps: ["until RUNNING", "pause 0.5", "stop", "until STOPPED"],
  },
  { name: "backoff", conf: "command=<probe> exit:1\nstartretries=2\nstartsecs=8", steps: ["until FATAL"] },
  {
    name: "backoff-longer",
    conf: "command=<probe> exit:1\nstartretries=3\nstartsecs=8",
    steps: ["until FATAL"],
  },
  {
    name: "backoff-exit-0",
    conf: "command=<probe> exit:0\nstartretries=1\nstartsecs=8",
    steps: ["until FATAL"],
  },
  {
    name: "backoff-never-restart",
    conf: "command=<probe> exit:3\nstartretries=1\nautorestart=false\nstartsecs=8",
    steps: ["until FATAL"],
  },
  {
    name: "backoff-killed",
    conf: "command=<probe> die:SEGV\nstartretries=1\nstartsecs=8",
    steps: ["until FATAL"],
  },
  { name: "no-retries", conf: "command=<probe> exit:1\nstartretries=0\nstartsecs=8", steps: ["until FATAL"] },
  {
    name: "negative-retries",
    conf: "command=<probe> exit:1\nstartretries=-1\nstartsecs=8",
    steps: ["until FATAL"],
  },
  {
    name: "recovers",
    conf: "command=<probe> upto:2=exit:1 wait\nstartsecs=5",
    steps: ["until 3 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "recovers-then-fails",
    conf: "command=<probe> upto:1=exit:1 upto:2=sleep:5.5 upto:2=exit:2 exit:3\nstartretries=1\nstartsecs=4",
    steps: ["until FATAL"],
  },
  {
    name: "stop-in-backoff",
    conf: "command=<probe> exit:1\nstartretries=9\nstartsecs=8",
    steps: ["until 3 starts", "until BACKOFF", "stop", "until STOPPED", "pause 1"],
  },
  {
    name: "start-after-fatal",
    conf: "command=<probe> upto:1=exit:1 wait\nstartretries=0\nstartsecs=5",
    steps: ["until FATAL", "start", "until RUNNING", "stop", "until STOPPED"],
  },
  { name: "exit-expected", conf: "command=<probe> sleep:1.5 exit:0", steps: ["until EXITED", "pause 1.5"] },
  {
    name: "exit-unexpected",
    conf: "command=<probe> upto:1=sleep:1.5 upto:1=exit:5 wait",
    steps: ["until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "exit-listed",
    conf: "command=<probe> sleep:1.5 exit:5\nexitcodes=0,5",
    steps: ["until EXITED", "pause 1.5"],
  },
  {
    name: "exit-zero-unlisted",
    conf: "command=<probe> upto:1=sleep:1.5 upto:1=exit:0 wait\nexitcodes=2",
    steps: ["until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "exit-no-codes",
    conf: "command=<probe> upto:1=sleep:1.5 upto:1=exit:0 wait\nexitcodes=",
    steps: ["until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "always",
    conf: "command=<probe> upto:2=sleep:1.5 upto:2=exit:0 wait\nautorestart=true",
    steps: ["until 3 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "never",
    conf: "command=<probe> sleep:1.5 exit:9\nautorestart=false",
    steps: ["until EXITED", "pause 1.5"],
  },
  {
    name: "never-killed",
    conf: "command=<probe> sleep:1.5 die:KILL\nautorestart=false",
    steps: ["until EXITED", "pause 1.5"],
  },
  {
    name: "killed",
    conf: "command=<probe> wait",
    steps: ["until RUNNING", "send KILL", "until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "status-143",
    conf: "command=<probe> sleep:1.5 exit:143\nexitcodes=143",
    steps: ["until EXITED", "pause 1.5"],
  },
  {
    name: "status-255",
    conf: "command=<probe> sleep:1.5 exit:255\nautorestart=false",
    steps: ["until EXITED"],
  },
  {
    name: "killed-143",
    conf: "command=<probe> upto:1=sleep:1.5 upto:1=die:TERM wait\nexitcodes=143",
    steps: ["until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "quick-loop",
    conf: "command=<probe> upto:3=exit:1 wait\nstartsecs=0",
    steps: ["until 4 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "one-shot",
    conf: "command=<probe> say:done exit:0\nstartsecs=0\nautorestart=false",
    steps: ["until EXITED", "pause 1"],
  },
  {
    name: "no-such-command",
    conf: "command=/no/such/program x\nstartretries=1",
    steps: ["until FATAL"],
    differs: spawnError,
  },
  {
    name: "no-such-word",
    conf: "command=no-such-program x\nstartretries=0",
    steps: ["until FATAL"],
    differs: spawnError,
  },
  {
    name: "not-executable",
    conf: "command=/etc/passwd\nstartretries=0",
    steps: ["until FATAL"],
    differs: spawnError,
  },
  {
    name: "directory-as-command",
    conf: "command=/usr/lib\nstartretries=0",
    steps: ["until FATAL"],
    differs: spawnError,
  },
  {
    name: "no-such-directory",
    conf: "command=<probe> wait\ndirectory=/no/such\nstartretries=1",
    steps: ["until FATAL"],
  },
  {
    name: "no-such-directory-quick",
    conf: "command=<probe> wait\ndirectory=/no/such\nstartretries=1\nstartsecs=0",
    steps: ["pause 6"],
    differs: { states: "spawn-error-quick", "log contents": "spawn-error-quick" },
  },
  {
    name: "relative-elsewhere",
    conf: "command=share/../bin/sleep 1000\ndirectory=/usr\nstartretries=0",
    steps: ["pause 2.5"],
    differs: {
      states: "relative-command",
      "log names": "relative-command",
      "log contents": "relative-command",
    },
  },
];
