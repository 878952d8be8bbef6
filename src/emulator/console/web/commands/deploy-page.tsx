import { useEffect, useState } from "preact/hooks";
import { problemOf } from "../api.ts";
import {
  commonProduct,
  installCommand,
  PackageFields,
  usePackages,
  useProducts,
} from "../content/package-choice.tsx";
import { useConsole, useFleet } from "../context.ts";
import { FilterInput } from "../fleet/filter-bar.tsx";
import { useFilter } from "../fleet/use-filter.ts";
import { bytes, plural, time } from "../format.ts";
import { goTo, hrefOf } from "../router.ts";
import type { Command, Content } from "../types.ts";
import { deployTargets } from "./deploy-targets.ts";

/** Choose a package, choose gateways, go. */
export function DeployPage({ query }: { readonly query: URLSearchParams }) {
  const { api, notify } = useConsole();
  const live = useFleet();
  const { products, usual } = useProducts();
  const [product, setProduct] = useState(query.get("product") ?? "");
  const [filter, setFilter] = useState(query.get("filter") ?? "is:online");
  const { gateways, problem } = useFilter(live.gateways, filter, live.moment());
  const chosenProduct = product || (commonProduct(gateways) ?? usual);
  const { packages, isLoaded } = usePackages(chosenProduct);
  const [id, setId] = useState(query.get("package") ?? "");
  const [isBusy, setBusy] = useState(false);
  const chosen = packages.find((one) => one.id === id);
  useEffect(() => {
    if (packages.length > 0 && !chosen) setId(newest(packages)?.id ?? "");
  }, [packages, chosen]);

  const targets = deployTargets(problem === undefined ? gateways : [], chosenProduct ?? "", chosen);
  const deploy = async () => {
    setBusy(true);
    const body = { gateways: targets.chosen.map(({ rid }) => rid), command: installCommand(id, chosen) };
    try {
      const { command } = await api.send<{ command: Command }>("POST", "commands", body);
      goTo(["commands", command.id]);
    } catch (error) {
      notify(problemOf(error), "bad");
      setBusy(false);
    }
  };
  return (
    <main class="page narrow-page" id="main">
      <h1>Deploy</h1>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void deploy();
        }}
      >
        <div class="fields">
          <PackageFields
            product={chosenProduct}
            products={products}
            onProduct={setProduct}
            id={id}
            packages={packages}
            onPackage={setId}
            isRequired
          />
        </div>
        {isLoaded && packages.length === 0 && (
          <p class="muted">
            There is no package yet. <a href={hrefOf(["content", chosenProduct ?? ""])}>Upload one</a>
          </p>
        )}
        {chosen && (
          <p class="muted">
            <code>{chosen.id}</code>, {bytes(chosen.size)}, uploaded {time(chosen.updated)}
            {chosen.sha256 !== undefined && ", checked by its SHA-256"}
          </p>
        )}
        <label for="deploy-filter">Gateways</label>
        <FilterInput
          id="deploy-filter"
          filter={filter}
          problem={problem}
          label="Gateways to deploy to"
          onChange={setFilter}
        />
        <ul class="facts" aria-live="polite">
          <li>
            <strong>{plural(targets.chosen.length, "gateway")}</strong> of {chosenProduct} will be told
          </li>
          {targets.others > 0 && <li>{plural(targets.others, "gateway")} of other products left out</li>}
          {targets.same > 0 && <li>{targets.same} run this version already</li>}
          {targets.pending > 0 && <li>{targets.pending} have a command waiting: they will be passed over</li>}
        </ul>
        <div class="actions">
          <a
            class="button"
            href={hrefOf(["rollouts"], { product: chosenProduct ?? "", package: id, filter })}
          >
            Roll out in waves…
          </a>
          <button type="submit" class="primary" disabled={isBusy || id === "" || targets.chosen.length === 0}>
            Deploy to {plural(targets.chosen.length, "gateway")}
          </button>
        </div>
      </form>
    </main>
  );
}

function newest(packages: readonly Content[]): Content | undefined {
  return packages.toSorted((a, b) => b.updated - a.updated)[0];
}
