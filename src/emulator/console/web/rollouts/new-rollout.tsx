import { useState } from "preact/hooks";
import { problemOf } from "../api.ts";
import { installCommand, PackageFields, usePackages, useProducts } from "../content/package-choice.tsx";
import { useConsole, useFleet } from "../context.ts";
import { FilterInput } from "../fleet/filter-bar.tsx";
import { useFilter } from "../fleet/use-filter.ts";
import { plural } from "../format.ts";
import { goTo } from "../router.ts";
import type { Rollout } from "../types.ts";

/** What a roll-out is made of. */
export function NewRollout({ query }: { readonly query: URLSearchParams }) {
  const { api, notify } = useConsole();
  const live = useFleet();
  const { products, usual } = useProducts();
  const [product, setProduct] = useState(query.get("product") ?? "");
  const chosenProduct = product || usual;
  const { packages } = usePackages(chosenProduct);
  const [id, setId] = useState(query.get("package") ?? "");
  const chosen = packages.find((one) => one.id === id) ?? packages[0];
  const [name, setName] = useState("");
  const [filter, setFilter] = useState(query.get("filter") ?? "");
  const [waves, setWaves] = useState("1%, 10%, 50%, 100%");
  const [successPercent, setSuccess] = useState("95");
  const [maxFailurePercent, setFailure] = useState("5");
  const [soakS, setSoak] = useState("600");
  // Content belongs to a product: other products' gateways could not have it.
  const whole = `product:"${chosenProduct}" ${filter}`.trim();
  const { gateways, problem } = useFilter(live.gateways, whole, live.moment());
  const begin = async () => {
    try {
      const { rollout } = await api.send<{ rollout: Rollout }>("POST", "rollouts", {
        name: name || `${chosen?.app} ${chosen?.version}`,
        filter: whole,
        command: installCommand(chosen?.id, chosen),
        waves: waves
          .split(",")
          .map((wave) => wave.trim())
          .filter((wave) => wave !== ""),
        successPercent: Number(successPercent),
        maxFailurePercent: Number(maxFailurePercent),
        soakS: Number(soakS),
      });
      goTo(["rollouts", rollout.id]);
    } catch (error) {
      notify(problemOf(error), "bad");
    }
  };
  return (
    <form
      class="card"
      aria-label="New roll-out"
      onSubmit={(event) => {
        event.preventDefault();
        void begin();
      }}
    >
      <div class="fields">
        <PackageFields
          idPrefix="rollout-"
          product={chosenProduct}
          products={products}
          onProduct={setProduct}
          id={chosen?.id}
          packages={packages}
          onPackage={setId}
        />
        <div class="grow">
          <label for="rollout-name">Name</label>
          <input
            id="rollout-name"
            value={name}
            placeholder={chosen ? `${chosen.app} ${chosen.version}` : ""}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </div>
      </div>
      <label for="rollout-filter">Gateways</label>
      <FilterInput
        id="rollout-filter"
        filter={filter}
        problem={problem}
        label="Gateways of the roll-out"
        onChange={setFilter}
      />
      <div class="fields">
        <div class="grow">
          <label for="rollout-waves">Waves, up to</label>
          <input
            id="rollout-waves"
            required
            value={waves}
            onInput={({ currentTarget }) => setWaves(currentTarget.value)}
          />
        </div>
        <NumberField
          id="rollout-success"
          label="Success needed, %"
          value={successPercent}
          onInput={setSuccess}
        />
        <NumberField
          id="rollout-failure"
          label="Failures allowed, %"
          value={maxFailurePercent}
          onInput={setFailure}
        />
        <NumberField id="rollout-soak" label="Soak, seconds" value={soakS} onInput={setSoak} />
      </div>
      <p class="hint">
        Waves are shares or counts, each with those before it. The next one begins when so many of a wave have
        succeeded and the soak is over; more failures than allowed stop the roll-out.
      </p>
      <div class="actions">
        <span class="muted">{problem === undefined && plural(gateways.length, "gateway")}</span>
        <button type="submit" class="primary" disabled={chosen === undefined || gateways.length === 0}>
          Begin
        </button>
      </div>
    </form>
  );
}

interface NumberFieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

function NumberField({ id, label, value, onInput }: NumberFieldProps) {
  return (
    <div>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        min={0}
        required
        value={value}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
    </div>
  );
}
