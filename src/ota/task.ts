/** What a job is for. `install` has a package; the others are done to an app that is there, or to other jobs. */
export type Task =
  | { readonly verb: "install" }
  | { readonly verb: "remove" | "start" | "stop" | "restart" | "rollback" }
  /** The job's `app` holds what is to be cancelled: an app, or a command's id. */
  | { readonly verb: "cancel" }
  | { readonly verb: "logs"; readonly lines: number };

export type Verb = Task["verb"];

/**
 * The order in which the verbs of one command are worked through, whatever their order in the text: what frees the
 * gateway first, then what changes it, then what depends on the change.
 */
export const verbOrder: readonly Verb[] = [
  "cancel",
  "remove",
  "stop",
  "rollback",
  "install",
  "start",
  "restart",
  "logs",
];
