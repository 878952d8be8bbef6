/** Where a command stands at one gateway. */
export type TargetState =
  | "blocked"
  | "waiting"
  | "taken"
  | "succeeded"
  | "failed"
  | "rolled-back"
  | "replaced";
