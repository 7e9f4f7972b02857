/** The state folder, made when a command first needs it. */
import { CairnError } from "../errors.ts";
import { makePrivateFolder } from "../streams/durable.ts";

/** Makes the state folder with mode 0700 when it is not there. Throws `permission`, or `refused` for a file in its place. */
export async function prepareHome(home: string): Promise<void> {
  try {
    await makePrivateFolder(home);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    throw new CairnError("permission", `the state folder ${home} cannot be made: permission denied`, {
      hint: "set CAIRN_HOME to a folder that this user may write to",
      cause,
    });
  }
}
