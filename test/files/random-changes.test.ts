import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Catalogue } from '../../src/files/catalogue.ts'
import { catalogueOf, temporaryFolder, writeTree } from '../support/catalogue.ts'

const SEEDS = [1, 2, 3, 4]
const ROUNDS = 4
const CHANGES = 25
const PATIENCE_MS = 20_000

/** The same numbers on every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

/** All that a catalogue answers, by path. */
function answersOf(catalogue: Catalogue): Record<string, string> {
  const answers = Array.from(catalogue.paths(), (path): [string, string] => {
    const entry = catalogue.lookup(path)
    return [path, entry?.redirect ? `→ ${entry.location}` : String(entry?.etag)]
  })
  return Object.fromEntries(answers.sort(([one], [other]) => (one < other ? -1 : 1)))
}

const NAMES = ['a', 'b.html', 'index.html', 'c.txt', 'c.txt.gz', '.hidden', 'd e', 'dir', 'dir2']

for (const seed of SEEDS) {
  t.test(`after any changes the catalogue is what a new one would be (${seed})`, async (t) => {
    const base = temporaryFolder(t)
    const dir = await writeTree(join(base, 'site'), { 'a/b.html': 'first', 'c.txt': 'first' })
    const mounts = [{ dir, prefix: '/', cleanUrls: true, listing: true }]
    const { catalogue } = await catalogueOf(t, dir, { mounts, watch: 'auto' })
    const random = randomFrom(seed)
    const name = () => NAMES[random(NAMES.length)] as string
    const path = () => join(dir, ...Array.from({ length: 1 + random(3) }, name))
    const change = (turn: number) => {
      const at = path()
      switch (random(6)) {
        case 0:
        case 1:
          mkdirSync(dirname(at), { recursive: true })
          return writeFileSync(at, `content ${turn}`)
        case 2:
          return rmSync(at, { recursive: true, force: true })
        case 3:
          mkdirSync(dirname(at), { recursive: true })
          return renameSync(path(), at)
        case 4:
          mkdirSync(dirname(at), { recursive: true })
          return symlinkSync(path(), at)
        default:
          return writeFileSync(`${at}`, `in place ${turn}`)
      }
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < CHANGES; turn++) {
        try {
          change(round * CHANGES + turn)
        } catch {
          // A folder in the way, a name that is not there, a link in a circle: no change, then.
        }
        if (random(4) === 0) await sleep(random(30))
      }
      await sleep(50)
      const fresh = await catalogueOf(t, dir, { mounts })
      const wanted = answersOf(fresh.catalogue)
      const deadline = performance.now() + PATIENCE_MS
      const same = () => JSON.stringify(answersOf(catalogue)) === JSON.stringify(wanted)
      while (!same() && performance.now() < deadline) await sleep(10)
      t.strictSame(answersOf(catalogue), wanted, `round ${round}`)
      t.equal(catalogue.stats.files, fresh.catalogue.stats.files)
      t.equal(catalogue.stats.bytes, fresh.catalogue.stats.bytes)
    }
  })
}
