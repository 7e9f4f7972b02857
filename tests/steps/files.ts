/** Lists files, for tests that count what is left. */

/** All files and empty folders under a folder, as sorted relative paths; none when it does not exist. */
export async function filesUnder(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  for (const entry of entries) {
    const path = `${prefix}${entry.name}`;
    const below = entry.isDirectory ? await filesUnder(`${folder}/${entry.name}`, `${path}/`) : [];
    found.push(...below.length > 0 ? below : [entry.isDirectory ? `${path}/` : path]);
  }
  return found.sort();
}
