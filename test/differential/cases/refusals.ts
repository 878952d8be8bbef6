import type { Case } from "../case.ts";

const bad: Readonly<Record<string, string>> = {
  "bad-number": "command=<probe> wait\nstartsecs=soon",
  "bad-boolean": "command=<probe> wait\nautostart=perhaps",
  "bad-autorestart": "command=<probe> wait\nautorestart=sometimes",
  "bad-signal": "command=<probe> wait\nstopsignal=TREM",
  "bad-signal-number": "command=<probe> wait\nstopsignal=99",
  "bad-unit": "command=<probe> wait\nstdout_logfile_maxbytes=5XB",
  "bad-exitcode": "command=<probe> wait\nexitcodes=0,256",
  "bad-exitcode-list": "command=<probe> wait\nexitcodes=0;1",
  "bad-umask": "command=<probe> wait\numask=9",
  "bad-environment": "command=<probe> wait\nenvironment=A",
  "bad-expansion": "command=<probe> wait %(nowhere)s",
  "bad-percent": "command=<probe> wait 100%",
  "bad-process-name": "command=<probe> wait\nprocess_name=a:b",
  "numprocs-without-number": "command=<probe> wait\nnumprocs=2",
  "group-contradiction": "command=<probe> wait\nstopasgroup=true\nkillasgroup=false",
  "no-such-user": "command=<probe> wait\nuser=no-such-user",
  "no-such-log-directory": "command=<probe> wait\nstdout_logfile=/no/such/directory/x.log",
  "unbalanced-quote": 'command=<probe> "wait\nstartretries=0',
  "empty-command": "command=\nstartretries=0",
  "no-value": "command=<probe> wait\nnonsense",
};

const good: Readonly<Record<string, string>> = {
  "unknown-option": "command=<probe> wait\nno_such_option=1",
  "upper-case-values":
    "command=<probe> wait\nautostart=TRUE\nautorestart=UNEXPECTED\nstdout_logfile_maxbytes=1mb",
  "yes-and-on": "command=<probe> wait\nautostart=yes\nredirect_stderr=on\nautorestart=0",
  "spaced-numbers": "command=<probe> wait\nstartsecs= 1 \nexitcodes=0, 2 ,3",
};

/** What one finds out at the start of the program, and the other when it reads the file. */
const foundOutElsewhere: Readonly<Record<string, string>> = {
  "no-such-user": "no-such-user",
  "no-such-log-directory": "log-directory",
  "unbalanced-quote": "bad-command",
  "empty-command": "bad-command",
};

/** What is refused, and what is not. */
export const refusalCases: readonly Case[] = [
  ...Object.entries(bad).map(([name, conf]): Case => {
    const reason = foundOutElsewhere[name];
    return {
      name,
      conf,
      steps: ["pause 0.1"],
      ...(reason !== undefined && { differs: { accepted: reason } }),
    };
  }),
  ...Object.entries(good).map(([name, conf]) => ({ name, conf })),
];
