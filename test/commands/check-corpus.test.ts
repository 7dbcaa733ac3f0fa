/**
 * What `uwas check` is worth: mistakes planted one at a time in a site that is fine. Each is found, with
 * words and place, or says why not. One process for all: a process each would take minutes.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createDatabase } from '../../src/model/database.ts'
import { folder, run } from '../support/binary.ts'
import { keepLog, runSql, testDatabaseUrl, testServer } from '../support/postgres.ts'
import { OF_CODE } from './check-corpus/of-code.ts'
import { OF_CONFIGURATION } from './check-corpus/of-configuration.ts'
import { OF_DATA } from './check-corpus/of-data.ts'
import { OF_TEMPLATES } from './check-corpus/of-templates.ts'
import { type Mistake, type Patch, SITE, TEMPLATES } from './check-corpus/site.ts'

// A hundred sites in one test: tap's usual limit is for one. The runner has its own.
t.setTimeout(0)

const CORPUS = [...OF_CONFIGURATION, ...OF_CODE, ...OF_TEMPLATES, ...OF_DATA]

/** As it is built: a site's modules import that very copy of uwas. */
const dist = (path: string) => import(new URL(`../../dist/${path}`, import.meta.url).href)

function patched(site: Readonly<Record<string, string>>, patch: Patch): Record<string, string> {
  const files = { ...site }
  for (const [path, change] of Object.entries(patch)) {
    if (change === null) delete files[path]
    else if (typeof change === 'string') files[path] = change
    else {
      const before = files[path]
      if (!before?.includes(change[0])) throw new Error(`${path} does not hold ${change[0]}`)
      files[path] = before.replace(change[0], () => change[1])
    }
  }
  return files
}

/** The site with a mistake, in a folder of its own. */
function write(t: Test, { patch, templates }: Pick<Mistake, 'patch' | 'templates'>): string {
  return folder(t, patched(templates ? patched(SITE, TEMPLATES) : SITE, patch))
}

/** What `uwas check` prints of the site, and how it ends. */
async function check(cwd: string, databaseUrl: string): Promise<{ code: number; output: string }> {
  const { runCommandLine } = await dist('commands/cli.js')
  const { beginStatementGeneration } = await dist('model/statement-registry.js')
  const { beginTableGeneration } = await dist('model/table/registry.js')
  beginStatementGeneration()
  beginTableGeneration()
  const { write } = process.stderr
  let output = ''
  process.stderr.write = (text: string | Uint8Array) => {
    output += text
    return true
  }
  process.env['DATABASE_URL'] = databaseUrl
  try {
    const config = join(cwd, 'uwas.config.ts')
    const code = await runCommandLine(['node', 'uwas', 'check', '--config', config])
    return { code, output }
  } finally {
    process.stderr.write = write
  }
}

/** A database with the site's migrations; `sql` is run in one of its own. */
async function migrated(t: Test, sql = ''): Promise<string> {
  const url = await testDatabaseUrl()
  const { code, stderr } = await run(['migrate'], {
    cwd: folder(t, SITE),
    env: { DATABASE_URL: url },
  })
  if (code !== 0) throw new Error(stderr)
  if (sql === '') return url
  const db = createDatabase({ url, log: keepLog() })
  await runSql(db, sql)
  await db.close()
  return url
}

const isFound = (output: string, { found }: Mistake) =>
  found.every((what) => (typeof what === 'string' ? output.includes(what) : what.test(output)))

t.test('every planted mistake is found, or its reason is known', async (t) => {
  await testServer()
  const shared = await migrated(t)
  for (const templates of [undefined, true] as const) {
    const { code, output } = await check(
      write(t, { patch: {}, ...(templates && { templates }) }),
      shared,
    )
    t.equal(code, 0, output)
    t.notMatch(output, /warn/, 'the site itself is fine')
  }
  let found = 0
  for (const mistake of CORPUS) {
    const cwd = write(t, mistake)
    const url = mistake.sql === undefined ? shared : await migrated(t, mistake.sql)
    const { output } = await check(cwd, url)
    rmSync(cwd, { recursive: true })
    const isThere = isFound(output, mistake)
    if (isThere) found += 1
    const { name, unknown } = mistake
    if (unknown === undefined) t.ok(isThere, name, { output })
    else t.notOk(isThere, `${name}: found by now, so take it off the list`, { unknown })
  }
  t.ok(CORPUS.length >= 60)
  t.comment(`found ${found} of ${CORPUS.length}`)
})
