/**
 * Remembers between starts which contents a file had, so that a warm start reads only what changed.
 * One small JSON file per set of mounts, beside the objects; whatever is wrong with it, it is ignored.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from './replace-file.ts'

/** Path of a file on disk → what is known of it. */
export type ManifestFiles = Map<string, ManifestFile>

export interface ManifestFile {
  /** `FileIdentity.key` of the file when it was read. */
  readonly identity: string
  readonly hash: string
}

export interface Manifest {
  readonly files: ManifestFiles
  /** Written since this machine started: objects have at worst been truncated, not lost in a power failure. */
  readonly sameBoot: boolean
}

const VERSION = 1
const HASH = /^[0-9a-f]{32}$/

/** Place of the manifest for the folders `dirs`: two sites that share a store do not overwrite each other. */
export function manifestPath(storeDir: string, dirs: readonly string[]): string {
  const name = createHash('sha256').update(JSON.stringify(dirs)).digest('hex').slice(0, 16)
  return join(storeDir, `manifest-${name}.json`)
}

/** The manifest at `path`; an empty one when it is missing, damaged or of another version. */
export async function loadManifest(path: string): Promise<Manifest> {
  const files: ManifestFiles = new Map()
  try {
    const saved = JSON.parse(await readFile(path, 'utf8'))
    if (saved.version !== VERSION) return { files, sameBoot: false }
    for (const [file, identity, hash] of saved.files) {
      if (typeof file !== 'string' || typeof identity !== 'string' || !HASH.test(hash)) {
        throw new TypeError('not a manifest')
      }
      files.set(file, { identity, hash })
    }
    const boot = await bootId()
    return { files, sameBoot: boot !== '' && saved.boot === boot }
  } catch {
    return { files: new Map(), sameBoot: false }
  }
}

/** Replaces the manifest in one step. Rejects when the folder cannot be written to. */
export async function saveManifest(path: string, files: ManifestFiles): Promise<void> {
  const rows = Array.from(files, ([file, { identity, hash }]) => [file, identity, hash])
  const text = JSON.stringify({ version: VERSION, boot: await bootId(), files: rows })
  await replaceFile(path, text)
}

/** Differs after every start of the machine; empty where the system does not tell. */
async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim()
}
