import { once } from 'node:events'
import { closeSync, existsSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { readSettled } from '../../src/files/read-settled.ts'
import { loadNative } from '../../src/native/load.ts'
import { bodyOf, catalogueOf, etagOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

/** Where no slow disk holds a writer up half-way, which no reader can tell from being finished. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const VERSIONS = ['A'.repeat(300_000), 'b'.repeat(170_001)]

/** Another thread that puts one version after the other in place, until it is stopped. */
const WRITER = `
const { renameSync, writeFileSync } = require('node:fs')
const { parentPort, workerData: { path, mode, pauseMs, versions } } = require('node:worker_threads')
let turn = 0
const write = () => {
  const content = versions[turn++ % versions.length]
  if (mode === 'in place') writeFileSync(path, content)
  else {
    writeFileSync(path + '.next', content)
    renameSync(path + '.next', path)
  }
  if (turn === 1) parentPort.postMessage('begun')
  setTimeout(write, pauseMs)
}
write()
`

for (const [mode, pauseMs, isServed] of [
  ['in place', 1, false],
  ['in place', 400, true],
  ['by renaming', 0, true],
  ['by renaming', 20, true],
] as const) {
  t.test(
    `a file that is rewritten ${mode} every ${pauseMs} ms is one version or not there`,
    async (t) => {
      const dir = await writeTree(temporaryFolder(t, MEMORY), { 'steady.txt': 'steady' })
      const path = join(dir, 'moving.txt')
      writeFileSync(path, VERSIONS[0] as string)
      const writer = new Worker(WRITER, {
        eval: true,
        workerData: { path, mode, pauseMs, versions: VERSIONS },
      })
      t.teardown(() => writer.terminate())
      await once(writer, 'message')
      const { catalogue } = await catalogueOf(t, dir)
      let seen = 0
      for (let round = 0; round < 6; round++) {
        const entry = catalogue.lookup('/moving.txt')
        if (entry !== undefined) {
          const body = bodyOf(entry)
          t.ok(VERSIONS.includes(body), `one version, from end to end: ${body.length} bytes`)
          t.equal(entry.etag, etagOf(body))
          t.equal(entry.ok.length, body.length)
          seen++
        }
        t.equal(bodyOf(catalogue.lookup('/steady.txt')), 'steady')
        await sleep(pauseMs / 3)
        if (isServed || round === 0) await catalogue.refresh()
      }
      if (isServed) t.ok(seen > 0, 'it is found between two writes')
      await writer.terminate()
      await sleep(40)
      await catalogue.refresh()
      // A writer that was ended in the middle may have left anything, and that is then the file.
      t.type(catalogue.lookup('/moving.txt')?.etag, 'string')
    },
  )
}

t.test('a file that stays in motion keeps its last settled version, with a warning', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': 'settled' })
  const { catalogue, log } = await catalogueOf(t, dir)
  const entry = catalogue.lookup('/a.txt')
  let turn = 0
  const write = () => writeFileSync(join(dir, 'a.txt'), 'x'.repeat(++turn))
  write()
  const timer = setInterval(write, 5)
  t.teardown(() => clearInterval(timer))
  await catalogue.refresh()
  t.equal(catalogue.lookup('/a.txt'), entry)
  t.equal(bodyOf(entry), 'settled')
  t.strictSame(log, [
    `uwas: warning: "${dir}/a.txt" is served as it was: somebody keeps writing to it`,
  ])
  clearInterval(timer)
  await writeTree(dir, { 'a.txt': 'at rest' })
  await catalogue.refresh()
  t.equal(bodyOf(catalogue.lookup('/a.txt')), 'at rest')
})

t.test('a write that falls between the two looks makes the file be read again', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': 'x'.repeat(5_000_000) })
  const reading = readSettled(loadNative(), dir, 'a.txt', 2 ** 24)
  const fd = openSync(join(dir, 'a.txt'), 'r+')
  writeSync(fd, 'y', 4_999_999)
  closeSync(fd)
  const result = await reading
  t.equal(result.kind, 'read')
  if (result.kind === 'read') t.equal(result.bytes.at(-1), 'y'.charCodeAt(0))
})

t.test('a replaced file is read to its end as what it was', async (t) => {
  const dir = await writeTree(temporaryFolder(t), { 'a.txt': 'old', next: 'new' })
  const native = loadNative()
  const result = await readSettled(
    {
      ...native,
      openBeneath(root, path) {
        const fd = native.openBeneath(root, path)
        renameSync(join(dir, 'next'), join(dir, 'a.txt'))
        return fd
      },
    },
    dir,
    'a.txt',
    100,
  )
  t.equal(result.kind, 'read')
  if (result.kind === 'read') t.equal(Buffer.from(result.bytes).toString(), 'old')
})

t.test(
  'a folder is irregular, a file above the ceiling large, a missing one an error',
  async (t) => {
    const dir = await writeTree(temporaryFolder(t), { 'd/a.txt': '12345' })
    t.strictSame(await readSettled(loadNative(), dir, 'd', 10), { kind: 'irregular' })
    t.match(await readSettled(loadNative(), dir, 'd/a.txt', 4), {
      kind: 'large',
      identity: { size: 5 },
    })
    t.match(await readSettled(loadNative(), dir, 'd/a.txt', 5), { kind: 'read' })
    await t.rejects(readSettled(loadNative(), dir, 'x', 5), { code: 'UWAS_ERR_NATIVE_NOT_FOUND' })
  },
)
