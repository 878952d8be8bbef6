/** `begun` before a change is made, `done` when it has returned: durable from then on. */
export interface ConfigEvent {
  readonly kind: "begun" | "done";
  readonly key: "cik" | "model" | "update_interval";
  readonly value: string;
}
