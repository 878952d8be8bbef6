import { useState } from "preact/hooks";
import { type Api, problemOf } from "./api.ts";
import { Mark } from "./shell.tsx";

export function SignIn({ api, onDone }: { readonly api: Api; readonly onDone: () => void }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const signIn = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await api.signIn(token);
      onDone();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void signIn(event)}>
        <h1>
          <Mark /> Gateway Engine
        </h1>
        {/* By which password managers know what this token is for. */}
        <input type="text" name="username" autocomplete="username" value="operator" readOnly hidden />
        <label for="token">Owner's token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
          aria-describedby="token-hint token-problem"
          aria-invalid={problem !== ""}
        />
        <p class="hint" id="token-hint">
          The server prints it when it starts.
        </p>
        <p class="problem" id="token-problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}
