import { existsSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { REMOVE_DEFAULTS, removeUnused } from '../../src/files/remove-unused.ts'
import { temporaryFolder, writeTree } from '../support/catalogue.ts'

const hash = (digit: string) => digit.repeat(32)
const object = (digit: string, ending = 'raw') => `${digit.repeat(2)}/${digit.repeat(30)}.${ending}`
const DAY_MS = 86_400_000

/** Sets the age of files in days. */
function age(dir: string, days: number, ...names: string[]) {
  const at = new Date(Date.now() - days * DAY_MS)
  for (const name of names) utimesSync(join(dir, name), at, at)
}

t.test('objects that nothing names go, after a day', async (t) => {
  const dir = await writeTree(temporaryFolder(t), {
    [object('1')]: 'in a manifest',
    [object('2')]: 'in a deployment',
    [object('3')]: 'encoding of what is served',
    [object('4')]: 'encoding of what is not',
    [object('5')]: 'nobody’s',
    [object('6')]: 'nobody’s yet',
    [object('7')]: 'of a site that is gone',
    'not-an-object.txt': 'x',
    'ab/not-an-object': 'x',
    'manifest-a.json': JSON.stringify({ files: [['/x', '1.2', hash('1')]] }),
    'deployments-b.json': JSON.stringify({ old: [['/x', hash('2')]] }),
    'manifest-old.json': JSON.stringify({ files: [['/x', '1.2', hash('7')]] }),
    'variants-1.jsonl': `["${hash('1')}","br",[["br","${hash('3')}",1]]]\n["${hash('9')}","br",[["br","${hash('4')}",1]]]\n`,
  })
  const all = ['1', '2', '3', '4', '5', '6', '7']
  age(
    dir,
    2,
    ...all.filter((digit) => digit !== '6').map((digit) => object(digit)),
    'ab/not-an-object',
  )
  age(dir, 100, 'manifest-old.json')
  t.equal(await removeUnused({ dir, ...REMOVE_DEFAULTS }), 3)
  const left = all.filter((digit) => existsSync(join(dir, object(digit))))
  t.strictSame(left, ['1', '2', '3', '6'])
  t.ok(existsSync(join(dir, 'ab/not-an-object')) && existsSync(join(dir, 'not-an-object.txt')))
  t.equal(await removeUnused({ dir, ...REMOVE_DEFAULTS }), 0)
})

t.test('one start removes a bounded number', async (t) => {
  const digits = ['1', '2', '3']
  const dir = await writeTree(
    temporaryFolder(t),
    Object.fromEntries(digits.map((digit) => [object(digit), 'x'])),
  )
  age(dir, 2, ...digits.map((digit) => object(digit)))
  t.equal(await removeUnused({ dir, minAgeMs: DAY_MS, maxRemoved: 2 }), 2)
  t.equal(await removeUnused({ dir, minAgeMs: DAY_MS, maxRemoved: 2 }), 1)
})

t.test('a folder that is not there is an error for its caller', async (t) => {
  const dir = join(temporaryFolder(t), 'missing')
  await t.rejects(removeUnused({ dir, ...REMOVE_DEFAULTS }), { code: 'ENOENT' })
})
