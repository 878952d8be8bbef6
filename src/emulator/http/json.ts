import { HttpProblem } from "../errors.ts";

/** @throws HttpProblem 400 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(400, `not JSON: ${error instanceof Error ? error.message : ""}`);
  }
}
