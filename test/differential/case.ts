/** One program and what is done to it, under both supervisors alike. */
export interface Case {
  /** Unique; names the app too: letters, digits and dashes. */
  readonly name: string;
  /**
   * Options of the program's section, one a line. `<probe>` stands for the probe and its first argument; what the
   * engine has another default for than supervisord is given to supervisord unless it stands here.
   */
  readonly conf: string;
  /** What happens to it, see `Step`. Without: it is started, comes up, and is stopped. */
  readonly steps?: readonly Step[];
  /** Aspects in which the two differ, each with the name of its reason in docs/supervision.md. */
  readonly differs?: Readonly<Partial<Record<Aspect, string>>>;
}

export type Step =
  | "start"
  | "stop"
  | "restart"
  /** Straight to the process that started last. */
  | `send ${string}`
  /** All its processes are in this state. */
  | `until ${string}`
  /** The probe has come to where it waits. */
  | "until ready"
  /** Starts of the probe. */
  | `until ${number} starts`
  | `pause ${number}`;

/** What is compared. */
export const aspects = [
  "accepted",
  "steps",
  "argv",
  "environment",
  "cwd",
  "umask",
  "ids",
  "process",
  "stdin",
  "starts",
  "spacing",
  "signals",
  "signal times",
  "states",
  "end",
  "log names",
  "log contents",
] as const;
export type Aspect = (typeof aspects)[number];

/** What one supervisor made of a case. Times in seconds of the monotonic clock. */
export interface Observation {
  readonly accepted: boolean;
  /** The step that did not come to its end, or "". */
  readonly stuckAt: string;
  readonly notes: readonly Note[];
  /** By process name. */
  readonly states: ReadonlyMap<string, readonly StateNote[]>;
  /** How the process that ended last did: `exit status 3`, `SIGKILL`; "" when none has. */
  readonly end: string;
  /** Name → content. */
  readonly logs: ReadonlyMap<string, string>;
  /** When each `stop` was asked for. */
  readonly stops: readonly number[];
  /** Parts of paths that are one supervisor's own. */
  readonly own: readonly (readonly [text: string, placeholder: string])[];
}

export interface StateNote {
  readonly t: number;
  readonly state: string;
}

export type Note = { readonly t: number } & (
  | {
      readonly kind: "start";
      readonly argv: readonly string[];
      readonly environment: readonly string[];
      readonly cwd: string;
      readonly umask: string;
      readonly ids: readonly unknown[];
      readonly leads_group: boolean;
      readonly descriptors: readonly number[];
      readonly niceness: number;
      readonly pid: number;
    }
  | { readonly kind: "signal"; readonly signal: string; readonly child: boolean }
  | { readonly kind: "stdin"; readonly state: string }
  | { readonly kind: "end" | "forked" | "ready" }
);
