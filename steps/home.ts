/** The state folder, made when a command first needs it. */
import { makePrivateFolder } from "../streams/durable.ts";

/** Makes the state folder with mode 0700 when it is not there. */
export async function prepareHome(home: string): Promise<void> {
  await makePrivateFolder(home);
}
