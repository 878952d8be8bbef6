import type { Case } from "../case.ts";

/** How a program is stopped. */
export const signalCases: readonly Case[] = [
  ...["TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "SIGINT", "2", "term"].map((signal) => ({
    name: `stopsignal-${signal}`,
    conf: `command=<probe> wait\nstopsignal=${signal}`,
  })),
  { name: "stopsignal-KILL", conf: "command=<probe> wait\nstopsignal=KILL" },
  { name: "stop-status", conf: "command=<probe> on:TERM=exit:7 wait" },
  {
    name: "deaf",
    conf: "command=<probe> on:TERM=stay wait\nstopwaitsecs=1",
    steps: ["until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "deaf-longer",
    conf: "command=<probe> on:TERM=stay wait\nstopwaitsecs=3",
    steps: ["until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "stop-twice",
    conf: "command=<probe> on:TERM=stay wait\nstopwaitsecs=3",
    steps: ["until RUNNING", "stop", "pause 1", "stop", "until STOPPED"],
  },
  {
    name: "stop-while-starting",
    conf: "command=<probe> wait\nstartsecs=9",
    steps: ["until 1 starts", "pause 0.5", "stop", "until STOPPED"],
  },
  { name: "child-left", conf: "command=<probe> fork wait" },
  { name: "group", conf: "command=<probe> fork wait\nstopasgroup=true" },
  { name: "group-INT", conf: "command=<probe> fork wait\nstopasgroup=true\nstopsignal=INT" },
  { name: "group-killed", conf: "command=<probe> on:TERM=stay fork wait\nkillasgroup=true\nstopwaitsecs=1" },
  { name: "group-deaf", conf: "command=<probe> on:TERM=stay fork wait\nstopasgroup=true\nstopwaitsecs=1" },
  {
    name: "other-signal",
    conf: "command=<probe> on:HUP=stay on:USR1=stay wait",
    steps: ["until RUNNING", "send HUP", "send USR1", "pause 0.5", "stop", "until STOPPED"],
  },
];
