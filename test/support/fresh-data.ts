/**
 * Data folders as the first start of an embedded PostgreSQL leaves them, for tests that do not look at that start: made
 * once for all files that run here, and copied. initdb takes a second of a core, a copy a fifteenth of it.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createLog } from '../../src/core/log.ts'
import { startEmbeddedPostgres } from '../../src/model/embedded.ts'
import { findBinaries } from '../../src/model/embedded-binaries.ts'
import { ROOT } from './sources.ts'

const run = promisify(execFile)

/** What makes the data: when it says something else there is another template. */
const MAKERS = ['src/model/embedded-cluster.ts', 'src/model/embedded.ts']

/** `dir` is that of `startEmbeddedPostgres`, and has no data yet. */
export async function copyFreshData(dir: string): Promise<void> {
  const template = await templateFolder()
  if (!isTemplate(template)) await makeTemplate(template)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  await run('cp', ['-a', join(template, 'data'), join(dir, 'data')])
}

async function templateFolder(): Promise<string> {
  const { postgres } = await findBinaries()
  const { stdout: version } = await run(postgres, ['--version'])
  const made = createHash('sha256').update(`${process.getuid?.()} ${version}`)
  for (const path of MAKERS) made.update(readFileSync(join(ROOT, path)))
  return join(tmpdir(), `uwas-fresh-data-${made.digest('hex').slice(0, 16)}`)
}

/** Its settings may name commands, so nobody else may have made it; and what is old in the folder may have been cleaned away. */
function isTemplate(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return false
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} is not of this user alone: remove it`)
  }
  return existsSync(join(folder, 'data/PG_VERSION'))
}

/** Under another name first: files that run at the same time make theirs, and one of them stays. */
async function makeTemplate(template: string): Promise<void> {
  const fresh = mkdtempSync(join(tmpdir(), 'uwas-test-'))
  const log = createLog(() => {})
  try {
    const server = await startEmbeddedPostgres({ dir: fresh, log, unsafeFast: true })
    await server.stop()
    if (!isTemplate(template)) rmSync(template, { recursive: true, force: true })
    renameSync(fresh, template)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!isTemplate(template)) throw error
  }
}
