/**
 * Data folders as the first start of an embedded PostgreSQL leaves them, for tests that do not look at that start: made
 * once for all files that run here, and copied. initdb takes a second of a core, a copy a fifteenth of it.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
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
  if (!existsSync(template)) await makeTemplate(template)
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

/** Under another name first: files that run at the same time make theirs, and one of them stays. */
async function makeTemplate(template: string): Promise<void> {
  const fresh = mkdtempSync(join(tmpdir(), 'uwas-test-'))
  const log = createLog(() => {})
  const server = await startEmbeddedPostgres({ dir: fresh, log, unsafeFast: true })
  await server.stop()
  try {
    renameSync(fresh, template)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(template)) throw error
  }
}
