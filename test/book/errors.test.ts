import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ERRORS } from '../../src/core/errors.ts'
import { ROOT, readText, type Source, sources } from '../support/sources.ts'

const CODES = Object.keys(ERRORS)
const TABLE = 'src/core/error-table/'

/**
 * True when one of `texts` names the code: whole, or by its last part where a folder puts the
 * beginning before it: `'LINK_LOOP'`, or in a list of codes `_LINK_LOOP`.
 */
function isNamed(code: string, whole: readonly Source[], own: readonly Source[]): boolean {
  const last = code.replace(/^UWAS_ERR_[A-Z]+_/, '')
  const part = new RegExp(`['_]${last}\\b`)
  return (
    whole.some(({ text }) => new RegExp(`\\b${code}\\b`).test(text)) ||
    own.some(({ text }) => part.test(text))
  )
}

t.test('a code names the folder of src that throws it', async (t) => {
  const folders = new Set(readdirSync(join(ROOT, 'src')).map((name) => name.toUpperCase()))
  const src = sources('src').filter(({ path }) => !path.startsWith(TABLE))
  for (const code of CODES) {
    const [, area = ''] = /^UWAS_ERR_([A-Z]+)_[A-Z0-9_]+$/.exec(code) ?? []
    t.ok(folders.has(area), `${code} names a folder`)
    const folder = `src/${area.toLowerCase()}/`
    const own = src.filter(({ path }) => path.startsWith(folder))
    t.ok(isNamed(code, src, own), `${code} is thrown somewhere`)
  }
})

/** What no test can bring about on a healthy machine, and why. */
const UNPROVOKED: Record<string, string> = {
  UWAS_ERR_MODEL_EMBEDDED_MISSING: 'needs a platform without PostgreSQL binaries',
  UWAS_ERR_NATIVE_CHANGED: 'needs a file that shrinks between two system calls',
  UWAS_ERR_NATIVE_LIMIT: 'needs a process without free descriptors or memory',
}

t.test('every code is asserted by a test', async (t) => {
  const tests = sources('test').filter(({ path }) => !path.startsWith('test/book/'))
  for (const code of CODES) {
    const area = code.split('_')[2]?.toLowerCase()
    const own = tests.filter(({ path }) => path.startsWith(`test/${area}/`))
    const isAsserted = isNamed(code, tests, own)
    if (code in UNPROVOKED) t.notOk(isAsserted, `${code} is asserted: take it off the list`)
    else t.ok(isAsserted, code)
  }
})

t.test('codes stand in order of their areas, so that each has one place', async (t) => {
  const areas = CODES.map((code) => code.split('_')[2])
  t.strictSame(areas, [...areas].sort())
})

t.test('no code is made up outside of the table', async (t) => {
  const known = new Set(CODES)
  for (const { path, text } of [...sources('src'), ...sources('static', '.js')]) {
    for (const [code] of text.matchAll(/\bUWAS_ERR_[A-Z0-9_]+[A-Z0-9]\b/g)) {
      const isPrefix = CODES.some((one) => one.startsWith(`${code}_`))
      if (!known.has(code) && !isPrefix) t.fail(`${path} names ${code}`)
    }
  }
  t.ok(readText(`${TABLE}core.ts`).includes('UWAS_ERR_CORE_SERVICE_MISSING'))
})

t.test('a message says what to do: it is no bare title', async (t) => {
  for (const [code, { message }] of Object.entries(ERRORS)) {
    t.notMatch(message, /^[A-Z][a-z]+ [a-z]+$/, code)
    t.notMatch(message, /\.$/, `${code} ends without a full stop`)
  }
})
