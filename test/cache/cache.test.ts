import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Memory } from '../../src/cache/budget.ts'
import { CACHE, Cache, cache } from '../../src/cache/cache.ts'
import { ValueStore } from '../../src/cache/value-store.ts'
import { createLog } from '../../src/core/log.ts'
import { Services } from '../../src/core/services.ts'
import { requestOf } from '../support/request.ts'

function create(maxBytes = 1_000_000) {
  const lines: string[] = []
  const store = new ValueStore(maxBytes, new Memory(maxBytes))
  return {
    cache: new Cache(
      store,
      createLog((line) => lines.push(line)),
    ),
    store,
    lines,
  }
}

/** A maker that is let go of by the test. */
function gate<T>() {
  let calls = 0
  const waiting: { resolve: (value: T) => void; reject: (error: Error) => void }[] = []
  return {
    get calls() {
      return calls
    },
    make: () => {
      calls++
      return new Promise<T>((resolve, reject) => waiting.push({ resolve, reject }))
    },
    async open(value: T) {
      while (waiting.length === 0) await sleep(1)
      waiting.shift()?.resolve(value)
    },
    async fail(message: string) {
      while (waiting.length === 0) await sleep(1)
      waiting.shift()?.reject(new Error(message))
    },
  }
}

t.test('what is set is there until it is deleted or its time is over', async (t) => {
  const { cache } = create()
  t.equal(cache.get('a'), undefined)
  t.ok(cache.set('a', { n: 1 }))
  t.strictSame(cache.get('a'), { n: 1 })
  t.ok(cache.delete('a'))
  t.notOk(cache.delete('a'))
  t.equal(cache.get('a'), undefined)
  cache.set('b', 'text', { seconds: 0.02 })
  t.equal(cache.get('b'), 'text')
  await sleep(30)
  t.equal(cache.get('b'), undefined)
  t.equal(cache.stats.values, 0, 'and takes no memory')
})

t.test('what is added is kept where there is nothing yet', async (t) => {
  const { cache } = create()
  t.equal(cache.add('a', 1), true)
  t.equal(cache.add('a', 2), false)
  t.equal(cache.get('a'), 1)
  cache.set('over', 1, { seconds: 0 })
  t.equal(cache.add('over', 2, { tags: ['x'] }), true)
  t.equal(cache.get('over'), 2)
  cache.invalidate('x')
  t.equal(cache.add('over', 3), true)
  t.throws(() => cache.add('b', () => {}), { code: 'UWAS_ERR_CACHE_VALUE' })
  t.throws(() => cache.add('b', 1, { second: 1 } as object), { code: 'UWAS_ERR_CACHE_OPTION' })
})

t.test('numbers are counted up, and keep their time', async (t) => {
  const { cache } = create()
  t.equal(cache.increment('n'), 1)
  t.equal(cache.increment('n', 5), 6)
  t.equal(cache.increment('n', -2.5), 3.5)
  t.equal(cache.increment('short', 1, { seconds: 0.05, tags: ['x'] }), 1)
  t.equal(cache.increment('short', 1, { seconds: 100 }), 2)
  await sleep(60)
  t.equal(cache.increment('short'), 1, 'a counter of a time that is over begins anew')
  cache.set('text', 'x')
  t.throws(() => cache.increment('text'), {
    code: 'UWAS_ERR_CACHE_NUMBER',
    message: 'increment(): "text" is a string, and not a number',
  })
  t.throws(() => cache.increment('n', Number.POSITIVE_INFINITY), { code: 'UWAS_ERR_CACHE_NUMBER' })
})

t.test('a key is a text, of any length and any characters', (t) => {
  const { cache } = create()
  const long = 'k'.repeat(100_000)
  const keys = [
    '__proto__',
    'constructor',
    '\u0000',
    '\ud800',
    ' ',
    long,
    `${long}2`,
    'ä',
    'a\u0308',
  ]
  for (const [i, key] of keys.entries()) cache.set(key, i)
  for (const [i, key] of keys.entries()) t.equal(cache.get(key), i)
  t.ok(cache.stats.bytes < 10_000, 'a long key is kept by its hash')
  t.throws(() => cache.get(''), {
    code: 'UWAS_ERR_CACHE_KEY',
    message: 'a cache key is a text that is not empty, and this is empty',
  })
  t.throws(() => cache.set(7 as unknown as string, 1), { code: 'UWAS_ERR_CACHE_KEY' })
  t.end()
})

t.test('a namespace is a cache of its own, and another version finds nothing', (t) => {
  const { cache } = create()
  const users = cache.namespace('users')
  cache.set('1', 'root')
  users.set('1', 'a')
  users.namespace('more').set('1', 'b')
  t.equal(cache.get('1'), 'root')
  t.equal(users.get('1'), 'a')
  t.equal(cache.namespace('users', 2).get('1'), undefined)
  t.equal(cache.get('users\u00001\u0000\u00011'), undefined, 'no key reaches into a namespace')
  users.clear()
  t.equal(users.get('1'), undefined)
  t.equal(users.namespace('more').get('1'), undefined)
  t.equal(cache.get('1'), 'root')
  for (const name of ['', 'a\u0000b', 'a\u0001']) {
    t.throws(() => cache.namespace(name), { code: 'UWAS_ERR_CACHE_OPTION' })
  }
  t.end()
})

t.test('a tag that is invalidated takes all that carries it along', (t) => {
  const { cache, store } = create()
  cache.set('list', 1, { tags: ['posts', 'users'] })
  cache.set('post', 2, { tags: ['post:1', 'posts'] })
  cache.set('other', 3, { tags: ['users'] })
  cache.invalidate('posts')
  t.strictSame(
    [cache.get('list'), cache.get('post'), cache.get('other')],
    [undefined, undefined, 3],
  )
  cache.invalidate('nobody has it')
  cache.set('list', 4, { tags: ['posts'] })
  t.equal(cache.get('list'), 4, 'what is set later is of a later time')
  store.forgetAll()
  t.strictSame([store.count, store.budget.bytes], [0, 0])
  t.throws(() => cache.invalidate(''), {
    code: 'UWAS_ERR_CACHE_TAG',
    message: 'cache tags: "" is none: it has 1 to 200 characters',
  })
  t.throws(() => cache.set('a', 1, { tags: ['x'.repeat(201)] }), { code: 'UWAS_ERR_CACHE_TAG' })
  const many = Array.from({ length: 1001 }, (_, i) => `t${i}`)
  t.throws(() => cache.set('a', 1, { tags: many }), {
    message: 'cache tags: 1001 are more than 1000',
  })
  t.end()
})

t.test('however many ask for a cold key, it is made once', async (t) => {
  const { cache } = create()
  const maker = gate<number>()
  const all = Array.from({ length: 1000 }, () => cache.remember('k', {}, maker.make))
  await maker.open(7)
  t.strictSame(new Set(await Promise.all(all)), new Set([7]))
  t.equal(maker.calls, 1)
  t.equal(await cache.remember('k', {}, maker.make), 7)
  t.equal(maker.calls, 1)
})

t.test(
  'a maker that fails is tried once more for those who wait, and begins anew later',
  async (t) => {
    const { cache } = create()
    const maker = gate<number>()
    const all = Promise.allSettled(
      Array.from({ length: 100 }, () => cache.remember('k', {}, maker.make)),
    )
    await maker.fail('one')
    await maker.fail('two')
    const results = await all
    t.equal(maker.calls, 2)
    t.ok(results.every(({ status }) => status === 'rejected'))
    const next = cache.remember('k', {}, maker.make)
    await maker.open(3)
    t.equal(await next, 3)
  },
)

t.test('the failure of one who has gone is not that of the others', async (t) => {
  const { cache } = create()
  const maker = gate<number>()
  const first = cache.remember('k', {}, maker.make)
  const others = Array.from({ length: 10 }, () => cache.remember('k', {}, maker.make))
  await maker.fail('the client has gone')
  await t.rejects(first, { message: 'the client has gone' })
  await maker.open(5)
  t.strictSame(new Set(await Promise.all(others)), new Set([5]))
})

t.test('an old value is used while one caller makes the next', async (t) => {
  const { cache } = create()
  const maker = gate<number>()
  const ask = () => cache.remember('k', { seconds: 0.02, staleSeconds: 60 }, maker.make)
  const first = ask()
  await maker.open(1)
  t.equal(await first, 1)
  await sleep(30)
  t.strictSame(await Promise.all([ask(), ask(), ask()]), [1, 1, 1])
  await maker.open(2)
  await sleep(1)
  t.equal(await ask(), 2)
  t.equal(maker.calls, 2)
})

t.test('within its grace an old value stands in for a maker that fails', async (t) => {
  const { cache, lines } = create()
  let calls = 0
  const options = { seconds: 0.02, graceSeconds: 60 }
  const ask = () =>
    cache.remember('k', options, () => {
      calls++
      if (calls > 1) throw new Error('the database is away')
      return 'old'
    })
  t.equal(await ask(), 'old')
  await sleep(30)
  t.equal(await ask(), 'old')
  t.equal(await ask(), 'old')
  t.equal(calls, 2, 'and is not called for each of those')
  t.match(
    lines.join(),
    /warning: the cached value "k" is used on, making it anew: the database is away/,
  )
  cache.invalidate('x')
  cache.delete('k')
  await t.rejects(ask(), { message: 'the database is away' })
})

t.test(
  'what is invalidated while it is made is not kept, nor given to who asks later',
  async (t) => {
    const { cache } = create()
    const maker = gate<string>()
    const ask = () => cache.remember('k', { tags: ['posts'] }, maker.make)
    const before = [ask(), ask()]
    await sleep(1)
    cache.invalidate('posts')
    const after = ask()
    await maker.open('old')
    t.equal(await before[0], 'old')
    await maker.open('new')
    t.equal(await after, 'new')
    t.equal(await ask(), 'new')
    t.equal(maker.calls, 2)
  },
)

t.test('tags that only the data tell are tags like others', async (t) => {
  const { cache } = create()
  let calls = 0
  const ask = () =>
    cache.remember('k', { tags: ['a'] }, (making) => {
      making.tag('post:7')
      return ++calls
    })
  t.equal(await ask(), 1)
  cache.invalidate('post:8')
  t.equal(await ask(), 1)
  cache.invalidate('post:7')
  t.equal(await ask(), 2)
})

t.test('what is set or deleted while the same key is made stays so', async (t) => {
  const { cache } = create()
  const maker = gate<string>()
  const making = cache.remember('k', {}, maker.make)
  await sleep(1)
  cache.set('k', 'set')
  await maker.open('made')
  t.equal(await making, 'made')
  t.equal(cache.get('k'), 'set')
  cache.delete('k')
  const again = cache.remember('k', {}, maker.make)
  await sleep(1)
  cache.delete('k')
  await maker.open('made')
  await again
  t.equal(cache.get('k'), undefined)
})

t.test('a value as of an earlier mark is not kept when a tag of it has changed since', (t) => {
  const { cache } = create()
  const since = cache.mark
  t.ok(cache.set('a', 1, { tags: ['x'], since }))
  cache.invalidate('x')
  t.notOk(cache.set('a', 1, { tags: ['x'], since }))
  t.ok(cache.set('b', 1, { tags: ['y'], since }))
  for (let i = 0; i < 10_001; i++) cache.invalidate(`t${i}`)
  t.notOk(cache.set('b', 1, { tags: ['y'], since }), 'too long ago to tell')
  t.end()
})

t.test('options are checked', async (t) => {
  const { cache } = create()
  const set = (options: object) => () => cache.set('k', 1, options)
  t.throws(set({ second: 1 }), {
    code: 'UWAS_ERR_CACHE_OPTION',
    message: 'the cache: no option "second"; did you mean "seconds"?',
  })
  t.throws(set({ seconds: -1 }), {
    message: 'the cache: seconds is -1; it has to be a number from 0 on',
  })
  t.throws(set({ seconds: '5' }), { code: 'UWAS_ERR_CACHE_OPTION' })
  await t.rejects(
    cache.remember('k', { graceSeconds: Number.NaN }, () => 1),
    {
      code: 'UWAS_ERR_CACHE_OPTION',
    },
  )
})

t.test('memory is bounded, and what is asked for often stays', (t) => {
  const { cache, store } = create(100_000)
  for (let i = 0; i < 20; i++) cache.set(`hot${i}`, 'x'.repeat(500))
  for (let i = 0; i < 20_000; i++) {
    if (i % 5 === 0) cache.get(`hot${(i / 5) % 20}`)
    cache.set(`cold${i}`, 'x'.repeat(500), { tags: [`cold${i}`] })
    if (store.budget.bytes > 100_000) t.fail('more than the budget')
  }
  const kept = Array.from({ length: 20 }, (_, i) => cache.get(`hot${i}`)).filter(Boolean)
  t.equal(kept.length, 20)
  t.notOk(cache.set('huge', 'x'.repeat(60_000)), 'larger than all')
  store.forgetAll()
  t.strictSame([store.count, store.budget.bytes], [0, 0])
  t.end()
})

t.test('values whose time is over leave without being asked for', async (t) => {
  const { cache, store } = create()
  for (let i = 0; i < 100; i++) cache.set(`a${i}`, i, { seconds: 0.01 })
  await sleep(20)
  for (let i = 0; i < 100; i++) cache.set(`b${i}`, i)
  t.equal(store.count, 100)
})

t.test('new code finds nothing of the old, and the old puts nothing in any more', (t) => {
  const { cache, store } = create()
  cache.set('k', 1)
  store.renew()
  const next = new Cache(
    store,
    createLog(() => {}),
  )
  t.equal(next.get('k'), undefined)
  t.notOk(cache.set('k', 'of the old'))
  t.equal(next.get('k'), undefined)
  t.end()
})

t.test(
  'a request finds the cache of its site, and hears of the tags of what it reads',
  async (t) => {
    const { cache: own } = create()
    const services = new Services().provide(CACHE, own)
    const req = requestOf('GET', '/', { services })
    const seen: string[] = []
    const page = { services, dependsOn: (...tags: string[]) => void seen.push(...tags) }
    await cache(req).remember('k', { tags: ['a'] }, () => 1)
    t.equal(await cache(page).remember('k', { tags: ['a'] }, () => 2), 1)
    t.equal(cache(page).get('k'), 1)
    await cache(page).remember('l', { tags: ['b'] }, () => 2)
    t.strictSame(seen, ['a', 'a', 'b'])
    t.throws(() => cache(requestOf('GET', '/')), { code: 'UWAS_ERR_CORE_SERVICE_MISSING' })
  },
)
