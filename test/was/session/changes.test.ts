import t from 'tap'
import { Changes } from '../../../src/was/session/changes.ts'
import { SessionState } from '../../../src/was/session/session-state.ts'
import { newToken, type SessionStore, type Stored } from '../../../src/was/session/stored.ts'

const refusal = (key: string, problem: string) => ({
  code: 'UWAS_ERR_WAS_SESSION_VALUE',
  message: `session: the value of "${key}" cannot be kept: ${problem}`,
})

t.test('changes are seen at once, and the data that they started from stay', (t) => {
  const base = Object.freeze({ a: 1, b: 2 })
  const changes = new Changes(base)
  t.ok(changes.isEmpty)
  changes.set('a', { deep: [1] })
  changes.delete('b')
  changes.update('c', (c) => `${c}!`)
  t.strictSame(
    [changes.get('a'), changes.get('b'), changes.get('c')],
    [{ deep: [1] }, undefined, 'undefined!'],
  )
  t.strictSame(changes.applyTo(base), { a: { deep: [1] }, c: 'undefined!' })
  t.equal(changes.get('constructor'), undefined)
  t.end()
})

t.test(
  'an update is done on what is stored by then; a set that was decided by a reading is not',
  (t) => {
    const changes = new Changes({ count: 1, seen: 1 })
    changes.update('count', (count) => Number(count) + 1)
    changes.set('blind', 1)
    t.strictSame(changes.applyTo({ count: 10, seen: 1, blind: 0 }), {
      count: 11,
      seen: 1,
      blind: 1,
    })
    t.equal(changes.get('seen'), 1)
    changes.set('seen', 2)
    t.strictSame(changes.applyTo({ count: 1, seen: 1 }), { count: 2, seen: 2, blind: 1 })
    t.throws(() => changes.applyTo({ count: 1, seen: 5 }), {
      code: 'UWAS_ERR_WAS_SESSION_CONFLICT',
      message:
        'the session was changed ("seen") by another request meanwhile, so nothing of this one was kept in it; look at the page anew, then try again',
    })
    t.end()
  },
)

t.test('what cannot be kept leaves no trace', (t) => {
  const changes = new Changes({})
  t.throws(() => changes.set('at', new Date()), refusal('at', 'it holds a Date; keep plain data'))
  t.throws(() => changes.set('f', () => 1), refusal('f', 'it holds a function'))
  t.throws(() => changes.update('big', () => 10n), refusal('big', 'it holds a bigint'))
  t.throws(() => changes.set('', 1), refusal('', 'this is no key; it has to be a text'))
  t.throws(
    () =>
      changes.update('x', () => {
        throw new Error('no')
      }),
    { message: 'no' },
  )
  t.ok(changes.isEmpty)
  changes.set('nul', 'a\0b\ud800')
  t.equal(changes.get('nul'), 'a\0b\ud800')
  t.end()
})

/** A store that only says what it was asked. */
function recording(): SessionStore & { readonly calls: string[] } {
  const calls: string[] = []
  const told = <T>(call: string, value: T) => {
    calls.push(call)
    return Promise.resolve(value)
  }
  return {
    calls,
    tokenOf: () => undefined,
    load: () => told('load', undefined),
    create: ({ userId, dataFrom }) =>
      told(`create ${userId} ${JSON.stringify(dataFrom({}))}`, 'new'),
    change: (_, { hasSignedIn }) => told(`change ${hasSignedIn}`, null),
    touch: () => told('touch', null),
    remove: ({ userId }) => told(`remove ${userId}`, undefined),
  }
}

const stored = (userId: string | null): Stored => ({
  id: 'i',
  token: newToken(),
  userId,
  data: Object.freeze({ kept: 1 }),
  version: 1,
  createdAt: new Date(),
  isStale: false,
})

t.test('what a session becomes decides what is written', async (t) => {
  const saved = async (was: Stored | undefined, work: (state: SessionState) => void) => {
    const state = new SessionState(was)
    work(state)
    const store = recording()
    const cookie = await state.save(store, null)
    t.throws(() => state.write(), {
      code: 'UWAS_ERR_WAS_SESSION_LATE',
      message: /await what changes/,
    })
    return [store.calls.join(', '), cookie]
  }
  t.strictSame(await saved(undefined, () => {}), ['', undefined])
  t.strictSame(await saved(undefined, (s) => s.rotate(undefined)), ['', undefined])
  t.strictSame(await saved(undefined, (s) => s.destroy()), ['', undefined])
  t.strictSame(await saved(undefined, (s) => s.rotate('7')), ['create 7 {}', 'new'])
  t.strictSame(await saved(stored(null), (s) => s.rotate('7')), ['change true', undefined])
  t.strictSame(await saved(stored('7'), (s) => s.rotate('7')), ['change true', undefined])
  t.strictSame(await saved(stored('7'), (s) => s.rotate(undefined)), ['change false', undefined])
  t.strictSame(await saved(stored('7'), (s) => s.rotate('8')), ['remove 7, create 8 {}', 'new'])
  t.strictSame(await saved(stored('7'), (s) => s.rotate(null)), ['remove 7', null])
  t.strictSame(await saved(stored('7'), (s) => s.destroy()), ['remove 7', null])
  const again = (s: SessionState) => {
    s.write().set('gone', 1)
    s.destroy()
    s.write().set('a', 1)
  }
  t.strictSame(await saved(stored('7'), again), ['remove 7, create null {"a":1}', 'new'])
  t.strictSame(await saved({ ...stored('7'), isStale: true }, () => {}), ['touch', undefined])
})

t.test('the token of the next request is known before it is written', (t) => {
  const was = stored('7')
  const state = new SessionState(was)
  t.equal(state.token, was.token)
  state.rotate(undefined)
  const next = state.token
  t.match(next, /^[\w-]{43}$/)
  t.not(next, was.token)
  t.equal(state.token, next)
  state.destroy()
  t.equal(state.token, null)
  t.equal(new SessionState(undefined).token, null)
  t.end()
})
