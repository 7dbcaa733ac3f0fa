import t from 'tap'
import { Budget, Memory, type Resident } from '../../src/cache/budget.ts'
import { Content } from '../../src/files/content.ts'

const nobody = {
  taken: { takes: 0, misses: 0 },
  load: () => Promise.reject(new Error('not asked for')),
}

function contentOf(length: number, uses = 0): Content {
  const content = new Content(length, new ArrayBuffer(0), nobody)
  content.uses = uses
  return content
}

t.test('what fits is admitted, and counted once', async (t) => {
  const budget = new Budget(100, { known: () => [] })
  const [one, two] = [contentOf(60), contentOf(40)]
  t.ok(budget.admit(one) && budget.admit(two) && budget.admit(one))
  t.strictSame([budget.bytes, budget.count, budget.evicted], [100, 2, 0])
  budget.remove(one)
  budget.remove(one)
  t.strictSame([budget.bytes, budget.count], [40, 1])
})

t.test('a newcomer gets in only where it is used more than what leaves for it', async (t) => {
  const all = [contentOf(50, 5), contentOf(50, 2)]
  const budget = new Budget(100, { known: () => all })
  for (const content of all) budget.admit(content)
  t.notOk(budget.admit(contentOf(50, 2)), 'as much is not more')
  t.notOk(budget.admit(contentOf(101, 200)), 'larger than all of it')
  t.notOk(budget.admit(contentOf(100, 3)), 'one of the two that would have to go is used more')
  t.strictSame([budget.bytes, budget.count, budget.evicted], [100, 2, 0])
  t.not(all[1]?.bytes, null)
  t.ok(budget.admit(contentOf(50, 3)))
  t.equal(all[1]?.bytes, null)
  t.not(all[0]?.bytes, null)
  t.equal(budget.evicted, 1)
})

t.test('a scan through all files does not push out those that are asked for often', async (t) => {
  const hot = Array.from({ length: 50 }, () => contentOf(10, 20))
  const cold = Array.from({ length: 5000 }, () => contentOf(10, 1))
  const budget = new Budget(1000, { known: () => [...hot, ...cold] })
  for (const content of [...hot, ...cold]) budget.admit(content)
  t.ok(hot.every((content) => content.place >= 0))
  t.ok(budget.bytes <= 1000)
})

t.test('yesterday’s favourites fade, and leave for those of today', async (t) => {
  const old = Array.from({ length: 100 }, () => contentOf(10, 255))
  const fresh = Array.from({ length: 100 }, () => contentOf(10))
  const budget = new Budget(1000, { known: () => [...old, ...fresh] })
  for (const content of old) budget.admit(content)
  for (let round = 0; round < 200; round++) {
    for (const content of fresh) {
      content.take()
      budget.admit(content)
    }
  }
  t.ok(fresh.filter((content) => content.place >= 0).length > 90)
})

t.test('a Zipf spread of requests finds more in memory than with the oldest out', async (t) => {
  const files = 2000
  const room = 200
  let seed = 42
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const pick = () => Math.floor(files ** random()) - 1
  const all = Array.from({ length: files }, () => new Content(1, null, nobody))
  const budget = new Budget(room, { known: () => all })
  const recent = new Map<number, true>()
  let [hits, recentHits] = [0, 0]
  for (let i = 0; i < 100_000; i++) {
    const at = pick()
    const content = all[at] as Content
    content.take()
    if (content.place >= 0) hits++
    else budget.admit(content)
    if (recent.delete(at)) recentHits++
    recent.set(at, true)
    if (recent.size > room) recent.delete(recent.keys().next().value as number)
  }
  t.ok(hits > recentHits * 1.02, `${hits} hits, ${recentHits} of the least recently used`)
})

/** A resident of a budget beside the files'. */
function residentOf(length: number, uses: number): Resident & { isEvicted: boolean } {
  return {
    length,
    uses,
    place: -1,
    isEvicted: false,
    evict() {
      this.isEvicted = true
    },
  }
}

t.test('two kinds share the bytes of one memory, and the least used of both leaves', async (t) => {
  const memory = new Memory(100)
  const files = new Budget(100, { memory })
  const values = new Budget(60, { memory })
  const [cold, warm] = [residentOf(40, 1), residentOf(40, 9)]
  t.ok(files.admit(cold) && files.admit(warm))
  const value = residentOf(50, 5)
  t.ok(values.admit(value), 'a value pushes a cold file out')
  t.ok(cold.isEvicted)
  t.notOk(warm.isEvicted)
  t.strictSame([files.bytes, values.bytes, memory.bytes], [40, 50, 90])
  t.notOk(values.admit(residentOf(20, 5)), 'its own share is full of what is used as much')
  const other = residentOf(30, 6)
  t.ok(values.admit(other), 'of a full share, its own resident leaves')
  t.ok(value.isEvicted)
  t.notOk(values.admit(residentOf(61, 200)), 'larger than the share')
  t.strictSame([files.bytes, values.bytes, memory.bytes], [40, 30, 70])
  t.strictSame([files.evicted, values.evicted], [1, 1])
})

t.test('what is refused leaves everything as it was', async (t) => {
  const memory = new Memory(100)
  const files = new Budget(100, { memory })
  const values = new Budget(100, { memory })
  const all = [residentOf(30, 1), residentOf(30, 2), residentOf(30, 8)]
  for (const [i, one] of all.entries()) t.ok((i % 2 === 0 ? files : values).admit(one))
  t.notOk(values.admit(residentOf(90, 5)))
  t.ok(all.every((one) => one.place >= 0 && !one.isEvicted))
  t.strictSame([files.bytes, values.bytes, memory.bytes], [60, 30, 90])
})

t.test('a number of residents is a bound too', async (t) => {
  const budget = new Budget(100, { maxCount: 2 })
  for (const uses of [1, 2, 3]) budget.admit(residentOf(1, uses))
  t.equal(budget.count, 2)
})
