/**
 * Clears the store of objects that nobody serves any more: neither a manifest nor the last deployments of
 * any server of the folder name them. Called once a start, beside other work.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface RemoveOptions {
  readonly dir: string
  /** Objects younger than this may belong to a server that has not written its manifest yet. */
  readonly minAgeMs: number
  /** A start after a long time has better things to do than to remove a million files. */
  readonly maxRemoved: number
}

/** A start refreshes its own files, so what is older than this belongs to no site any more. */
const FORGOTTEN_MS = 90 * 24 * 3_600_000

/** A day, and as many as a disk removes in a few seconds. */
export const REMOVE_DEFAULTS = { minAgeMs: 24 * 3_600_000, maxRemoved: 20_000 }

const HASH = /\b[0-9a-f]{32}\b/g
const FOLDER = /^[0-9a-f]{2}$/
const OBJECT = /^([0-9a-f]{30})\.[a-z]+$/

/**
 * The number of objects that were removed. Whoever has one mapped keeps its bytes; whoever wants it again
 * reads the original once more. Rejects when the folder cannot be read.
 */
export async function removeUnused({ dir, minAgeMs, maxRemoved }: RemoveOptions): Promise<number> {
  const used = await usedHashes(dir)
  const before = Date.now() - minAgeMs
  let removed = 0
  for (const folder of (await readdir(dir)).filter((name) => FOLDER.test(name))) {
    for (const name of await readdir(join(dir, folder)).catch(() => [])) {
      const hash = folder + (OBJECT.exec(name)?.[1] ?? '')
      if (hash === folder || used.has(hash)) continue
      const path = join(dir, folder, name)
      const found = await stat(path).catch(() => null)
      if (found === null || found.mtimeMs > before) continue
      await rm(path, { force: true })
      if (++removed >= maxRemoved) return removed
    }
  }
  return removed
}

/** All that the files beside the objects name; an encoding only while its source is named. */
async function usedHashes(dir: string): Promise<Set<string>> {
  const names = await readdir(dir)
  const used = new Set<string>()
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const path = join(dir, name)
    const found = await stat(path).catch(() => null)
    if (found === null || Date.now() - found.mtimeMs > FORGOTTEN_MS) continue
    const text = await readFile(path, 'utf8').catch(() => '')
    for (const [hash] of text.matchAll(HASH)) used.add(hash)
  }
  const served = new Set(used)
  for (const name of names.filter((one) => one.endsWith('.jsonl'))) {
    const text = await readFile(join(dir, name), 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const [source, ...encoded] = line.match(HASH) ?? []
      if (source !== undefined && served.has(source)) for (const hash of encoded) used.add(hash)
    }
  }
  return used
}
