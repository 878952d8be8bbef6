import type { Case } from "../case.ts";

/** What a program sees of the world. */
export const environmentCases: readonly Case[] = [
  {
    name: "plain",
    conf: "command=<probe> wait\ndirectory=/",
    steps: ["until 1 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  { name: "no-directory", conf: "command=<probe> wait" },
  { name: "directory", conf: "command=<probe> wait\ndirectory=/usr/lib" },
  { name: "directory-here", conf: "command=<probe> wait\ndirectory=%(here)s" },
  { name: "words", conf: `command=<probe> wait "two words" 'single $HOME' a\\ b x";"y '' "q\\"q" $HOME *` },
  { name: "no-shell", conf: "command=<probe> wait a;b c|d >e &&f `g` $(h)" },
  { name: "percent", conf: "command=<probe> wait 100%% %(program_name)s %(group_name)s" },
  { name: "process-num", conf: "command=<probe> wait %(process_num)d %(process_num)03d %(numprocs)d" },
  { name: "host-name", conf: "command=<probe> wait %(host_node_name)s %(ENV_SITE)s" },
  { name: "inline-comment", conf: "command=<probe> wait a ; a comment\npriority=5 ;another" },
  { name: "hash", conf: "command=<probe> wait a #b", differs: { argv: "inline-hash" } },
  { name: "continued", conf: "command=<probe> wait\n  one\n\n  two" },
  { name: "colon-and-case", conf: "Command : <probe> wait x\nSTOPSIGNAL: INT" },
  { name: "twice", conf: "command=<probe> wait first\ncommand=<probe> wait second" },
  { name: "utf-8", conf: 'command=<probe> wait größe "日本"\nenvironment=NAME="größe"' },
  {
    name: "variables",
    conf: 'command=<probe> wait\nenvironment=A="1, 2",B=two,C=\'th"ree\',A=last,EMPTY=""',
  },
  {
    name: "variables-over",
    conf: 'command=<probe> wait\nenvironment=LANG="C",PATH="/bin:/usr/bin",HOME="/nowhere"',
  },
  {
    name: "variables-odd",
    conf: 'command=<probe> wait\nenvironment=a.b="1",x-y="2",PS4="3",IFS=":",_="5",gwe_user="6"',
  },
  {
    name: "variables-expanded",
    conf: 'command=<probe> wait %(ENV_X)s\nenvironment=X="%(here)s",Y="%(ENV_SITE)s"',
  },
  { name: "variables-quotes", conf: "command=<probe> wait\nenvironment=A=\"it's\",B='$HOME `x` \\\\'" },
  { name: "server-url", conf: "command=<probe> wait\nserverurl=http://127.0.0.1:9001" },
  { name: "umask", conf: "command=<probe> wait\numask=077" },
  { name: "umask-short", conf: "command=<probe> wait\numask=7" },
  { name: "umask-default", conf: "command=<probe> wait\numask=022" },
  { name: "user", conf: "command=<probe> wait\nuser=nobody\ndirectory=/" },
  { name: "user-number", conf: "command=<probe> wait\nuser=65534\ndirectory=/" },
  { name: "user-root", conf: "command=<probe> wait\nuser=root\ndirectory=/" },
  { name: "standard-input", conf: "command=<probe> stdin wait" },
  { name: "process-name", conf: "command=<probe> wait\nprocess_name=sampler" },
  {
    name: "numprocs",
    conf: "command=<probe> wait %(process_num)d\nnumprocs=3\nnumprocs_start=5\nprocess_name=%(program_name)s_%(process_num)02d",
    steps: ["until 3 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "numprocs-own",
    conf: `command=<probe> say:%(ENV_N)s wait\nnumprocs=2\nprocess_name=p%(process_num)d
environment=N="%(process_num)d"\nstdout_logfile=<log>/%(program_name)s-%(process_num)d.log`,
    steps: ["until 2 starts", "until RUNNING", "stop", "until STOPPED"],
  },
  {
    name: "path-search",
    conf: "command=python3 -S -E <probe> wait\ndirectory=/",
  },
  {
    name: "ignored-signals",
    conf: "command=/bin/sh -c 'grep -E \"^Sig(Ign|Blk)\" /proc/self/status; exec sleep 1000'\ndirectory=/",
  },
  {
    name: "open-files",
    conf: "command=/bin/sh -c 'for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$fd ] && echo $fd; done; exit 0'\nautorestart=false\nstartsecs=0\ndirectory=/",
    steps: ["until EXITED"],
  },
];
