import type { SettingTexts } from "./settings-trial.ts";

/** What a job is for. `install` has a package; the others are done to an app that is there, or to other jobs. */
export type Task =
  | { readonly verb: "install" }
  | { readonly verb: "remove" | "start" | "stop" | "restart" | "rollback" }
  /** The job's `app` holds what is to be cancelled: an app, or a command's id. */
  | { readonly verb: "cancel" }
  | { readonly verb: "logs"; readonly lines: number }
  /** The engine's own settings; the job's `app` is `engineName`. */
  | { readonly verb: "configure"; readonly settings: SettingTexts };

export type Verb = Task["verb"];

/** What stands for the engine where a job or a report names an app. */
export const engineName = "gateway-engine";

/**
 * The order in which the verbs of one command are worked through, whatever their order in the text: what frees the
 * gateway first, then what the rest is done by, then what changes it, then what depends on the change.
 */
export const verbOrder: readonly Verb[] = [
  "cancel",
  "configure",
  "remove",
  "stop",
  "rollback",
  "install",
  "start",
  "restart",
  "logs",
];
