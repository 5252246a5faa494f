import { ArchiveRefused, ArchiveUnreadable, readArchive } from "./archive.ts";
import type { Unpacking } from "./archive.ts";
import type { CopySource } from "./build-context.ts";
import { CopyRefused } from "./copy-refused.ts";
import type { Instruction } from "./dockerfile.ts";
import { EngineNeeded } from "./engine-needed.ts";

/**
 * ADD unpacks a local tar archive. One that this code cannot unpack is a case for an engine, never copied packed.
 * @throws CopyRefused where it unpacks to too much, or is damaged
 */
export async function unpackedIfArchive(source: CopySource, instruction: Instruction, unpacking: Unpacking): Promise<CopySource> {
  const [file] = source.entries;
  if (source.isFolder || file?.kind !== "file") return source;
  try {
    const archive = await readArchive(file, unpacking);
    return archive ? { ...source, archive } : source;
  } catch (error) {
    if (error instanceof ArchiveUnreadable)
      throw new EngineNeeded(instruction, `ADD of ${source.name} needs Docker, Podman or Buildah: it ${error.message}`);
    if (error instanceof ArchiveRefused) throw new CopyRefused(`${source.name} ${error.message}`);
    throw error;
  }
}
