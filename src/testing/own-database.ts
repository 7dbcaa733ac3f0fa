/** A database for one test client alone, so that many files of tests can run at once. Called by `test-client.ts`. */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import type { Backends } from '../app.ts'
import { createScratch } from '../model/scratch.ts'
import type { SiteConfig } from '../was/config.ts'

/** Folders of embedded servers that clients of this process have now. */
const used = new Set<string>()

/**
 * A server for each file of tests: one that several processes share ends with the process that has started it. Call
 * `release` when the client is closed.
 */
export function apart(config: SiteConfig): { config: SiteConfig; release: () => void } {
  if (config.database === null) {
    throw new TypeError('ownDatabase: the site has no database; set the key "database"')
  }
  if (config.database.url !== null) return { config, release: () => {} }
  const script = process.argv[1] ?? 'repl'
  const name = `${basename(script)}-${createHash('sha256').update(script).digest('hex').slice(0, 8)}`
  let stateDir: string
  let n = 1
  do stateDir = join(config.stateDir, 'tests', `${name}-${n++}`)
  while (used.has(stateDir))
  used.add(stateDir)
  return { config: { ...config, stateDir }, release: () => void used.delete(stateDir) }
}

/** The same backends on a new, empty database, which is dropped when they are closed. */
export async function withOwnDatabase(backends: Backends): Promise<Backends> {
  const { database: beside } = backends
  if (beside === null) return backends
  const { database, drop } = await createScratch(beside)
  return {
    ...backends,
    database,
    async close() {
      try {
        await drop()
      } finally {
        await backends.close()
      }
    },
  }
}
