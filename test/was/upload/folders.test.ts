import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { newFolder } from '../../../src/was/upload/folders.ts'
import { createUploads } from '../../../src/was/upload/multipart.ts'
import { temporaryFolder } from '../../support/catalogue.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** A folder of that name with one file in it, both so old. */
function put(dir: string, name: string, ageMs = 0, fileAgeMs = ageMs): string {
  const path = join(dir, name)
  const file = join(path, '0')
  mkdirSync(path, { recursive: true })
  writeFileSync(file, 'x')
  const at = (ms: number) => new Date(Date.now() - ms)
  utimesSync(file, at(fileAgeMs), at(fileAgeMs))
  utimesSync(path, at(ageMs), at(ageMs))
  return name
}

t.test('what a process of this machine has left is removed when that has died', async (t) => {
  const dir = join(temporaryFolder(t), 'uploads')
  const own = basename(newFolder(dir))
  const [pid = '', startedAt = '', space = ''] = own.split('-')
  t.equal(pid, String(process.pid))
  t.match(startedAt, /^\d+$/)
  const kept = put(dir, own, 2 * DAY_MS)
  put(dir, `999999999-${startedAt}-${space}-a`)
  put(dir, `${pid}-${Number(startedAt) + 1}-${space}-b`)
  await createUploads(dir)
  t.strictSame(readdirSync(dir), [kept], 'a pid that is used again is another process')
})

t.test('what another container takes is not touched, though its pid is nobody here', async (t) => {
  const dir = join(temporaryFolder(t), 'uploads')
  const [, startedAt, space = ''] = basename(newFolder(dir)).split('-')
  const other = space.replace(/./g, (digit) => (digit === '0' ? '1' : '0'))
  const kept = [
    put(dir, `999999999-${startedAt}-${other}-new`),
    put(dir, `999999999-${startedAt}-${other}-still`, 2 * DAY_MS, 1000),
    put(dir, '999999999-of-a-version-before'),
  ]
  const left = put(dir, `${process.pid}-${startedAt}-${other}-old`, 2 * DAY_MS)
  await createUploads(dir)
  t.strictSame(readdirSync(dir).sort(), [...kept].sort())
  t.notOk(existsSync(join(dir, left)), 'of what is a day old nobody waits any more')
})

t.test('a folder that is not there yet has nothing left in it', async (t) => {
  const dir = join(temporaryFolder(t), 'uploads')
  t.same(await createUploads(dir), { dir })
})
