import { readFileSync } from 'node:fs'
import t from 'tap'

interface LockEntry {
  readonly version?: string
  readonly resolved?: string
  readonly os?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, LockEntry>>
}

/** The entry that `name` resolves to from the package at `from`, as Node looks it up. */
function resolve(from: string, name: string): LockEntry | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const found = lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]
    if (found !== undefined || at === '') return found
    if (!at.includes('/node_modules/')) at = '/node_modules/'
  }
}

t.test(
  'the lock file knows the binaries of every platform, so that npm ci works on each',
  async (t) => {
    for (const [from, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
      for (const [name, range] of Object.entries(optionalDependencies)) {
        const found = resolve(from, name)
        t.ok(found, `${from || 'uwas'} → ${name}@${range}`)
        if (/^\d/.test(range) && from !== '') t.equal(found?.version, range, `version of ${name}`)
      }
    }
  },
)

t.test('the lock file names no registry', async (t) => {
  const named = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined)
  t.same(named, [])
})
