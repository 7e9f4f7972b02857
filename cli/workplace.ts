/** What commands that touch runs, databases or stores work with: the configuration, the surroundings and the engine. */
import type { Config } from "../config/config.ts";
import type { Engine } from "../engine/engine.ts";
import { type Environment, makeEnvironment } from "../steps/environment.ts";
import type { Workflows } from "../steps/workflows.ts";
import { askSecret } from "./ask.ts";
import type { Session } from "./session.ts";

/** An open workplace. */
export interface Workplace extends AsyncDisposable {
  readonly config: Config;
  readonly environment: Environment;
  readonly engine: Engine;
  readonly workflows: Workflows;
}

/** Reads the configuration and finds the surroundings, without the engine: for commands that only read stores. */
export async function openSurroundings(
  session: Session,
): Promise<{ config: Config; environment: Environment }> {
  const config = await session.config();
  const environment = makeEnvironment({
    home: session.home,
    version: session.version,
    ask: askSecret,
    patienceMilliseconds: patienceForTests(),
  });
  return { config, environment };
}

/** Opens the workplace; makes the state folder and its database when they are not there. */
export async function openWorkplace(session: Session): Promise<Workplace> {
  const { config, environment } = await openSurroundings(session);
  const [{ makeWorkflows }, { openEngine }] = await Promise.all([
    import("../steps/workflows.ts"),
    import("../engine/engine.ts"),
  ]);
  const workflows = makeWorkflows(environment);
  const patience = patienceForTests();
  const engine = await openEngine({
    folder: session.home,
    workflows: Object.values(workflows),
    signal: session.signal,
    // Without chance a failed step is tried again at once.
    ...(patience === undefined ? {} : { patienceMilliseconds: patience, random: () => 0 }),
  });
  return {
    config,
    environment,
    engine,
    workflows,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** Tests cannot wait a minute for a lock that nobody is going to release, nor half a minute for five more tries. */
function patienceForTests(): number | undefined {
  const milliseconds = Number(Deno.env.get("CAIRN_PATIENCE_MILLISECONDS"));
  return Number.isSafeInteger(milliseconds) && milliseconds > 0 ? milliseconds : undefined;
}
