import fc from 'fast-check'
import t from 'tap'
import { fold } from '../../../src/was/accounts/fold.ts'
import { describePasswordProblem } from '../../../src/was/accounts/password-rules.ts'
import { createPasswords } from '../../../src/was/accounts/passwords.ts'

const GOOD = 'two lamps and a kettle'

t.test('a password is right for its own hash alone, and no hash comes twice', async (t) => {
  const passwords = createPasswords()
  const [one, other] = await Promise.all([passwords.hash(GOOD), passwords.hash(GOOD)])
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(one, other)
  t.equal(await passwords.verify(GOOD, one), true)
  t.equal(await passwords.verify(`${GOOD} `, one), false)
  t.equal(await passwords.verify('', one), false)
})

t.test('what two keyboards send differently is the same password', async (t) => {
  const passwords = createPasswords()
  const stored = await passwords.hash('caf\u00e9 \u1100\u1161\u11a8 x9')
  t.equal(await passwords.verify('cafe\u0301 \uac01 x9', stored), true)
  t.equal(await passwords.verify('ｃafe\u0301 \uac01 x９', stored), true, 'full-width forms')
  t.equal(await passwords.verify('cafe \uac01 x9', stored), false)
})

t.test('what can be nobody’s password is wrong, never an error, and costs the same', async (t) => {
  const passwords = createPasswords({ concurrency: 1 })
  const stored = await passwords.hash(GOOD)
  for (const text of [
    'x'.repeat(257),
    'x'.repeat(100_000),
    '\ud800lonely half',
    '\ufdfa'.repeat(20),
  ]) {
    t.equal(await passwords.verify(text, stored), false)
    await t.rejects(passwords.hash(text), {
      code: 'UWAS_ERR_WAS_PASSWORD',
      status: 422,
      message: /too long, or holds what is no character/,
    })
  }
  const long = await passwords.hash('가'.repeat(256))
  t.equal(await passwords.verify('가'.repeat(256), long), true, 'nothing is cut off')
  t.equal(await passwords.verify(`${'가'.repeat(255)}나`, long), false)
})

t.test('an unknown user takes a hash’s work as a known one does', async (t) => {
  const passwords = createPasswords({ concurrency: 1, maxWaiting: 8 })
  const stored = await passwords.hash(GOOD)
  for (const each of [stored, undefined, null]) {
    const pending = passwords.verify('a wrong one', each)
    t.equal(passwords.queue.running, 1, 'it stands in the same queue')
    t.equal(await pending, false)
  }
  t.equal(await passwords.verify('', undefined), false)
})

t.test('beyond the queue it is 503 with Retry-After, and the loop is free meanwhile', async (t) => {
  const passwords = createPasswords({ concurrency: 1, maxWaiting: 1 })
  let turns = 0
  const counting = setInterval(() => turns++, 1)
  t.teardown(() => clearInterval(counting))
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.hash(GOOD)))
  t.equal(all.filter(({ status }) => status === 'fulfilled').length, 2)
  const refused = all.find((each) => each.status === 'rejected')
  t.match(refused, {
    reason: {
      code: 'UWAS_ERR_WAS_PASSWORDS_BUSY',
      status: 503,
      headers: [['Retry-After', '2']],
      message: /too many passwords are being checked at once/,
    },
  })
  t.ok(turns > 0, 'timers ran while it was hashed')
  t.strictSame([passwords.queue.running, passwords.queue.waiting], [0, 0])
})

t.test('a client that has gone costs nothing any more', async (t) => {
  const passwords = createPasswords({ concurrency: 1 })
  const gone = new AbortController()
  const first = passwords.hash(GOOD)
  const second = passwords.verify(GOOD, undefined, gone.signal)
  gone.abort(new Error('gone'))
  await t.rejects(second, { message: 'gone' })
  await first
  t.equal(passwords.queue.running, 0)
})

t.test('a hash of other costs is outdated, and right all the same', async (t) => {
  const before = createPasswords({ passes: 2 })
  const after = createPasswords({ passes: 3 })
  const stored = await before.hash(GOOD)
  t.equal(before.isOutdated(stored), false)
  t.equal(after.isOutdated(stored), true)
  t.equal(await after.verify(GOOD, stored), true)
  const argon2i = stored.replace('argon2id', 'argon2i')
  t.equal(before.isOutdated(argon2i), true)
})

t.test('a stored text that is no hash is an error of the site, not a wrong password', async (t) => {
  const passwords = createPasswords()
  for (const stored of [
    '',
    'plain',
    '$2b$10$abcdefghijklmnopqrstuv',
    '$argon2id$v=19$m=19456,t=2',
  ]) {
    const expected = { code: 'UWAS_ERR_WAS_PASSWORD_HASH', status: 500, message: /no argon2 hash/ }
    await t.rejects(passwords.verify(GOOD, stored), expected)
    t.equal(passwords.isOutdated(stored), true)
  }
})

t.test('options are held against their bounds', (t) => {
  t.throws(() => createPasswords({ memoryKib: 1024 }), {
    code: 'UWAS_ERR_CORE_INVALID_OPTION',
    message: /^passwords: memoryKib is 1024; it must be a whole number from 19456/,
  })
  t.throws(() => createPasswords({ minLength: 4 }), { message: /minLength is 4/ })
  t.throws(() => createPasswords({ memory: 1 } as never), {
    code: 'UWAS_ERR_CORE_UNKNOWN_OPTION',
    message: /unknown option "memory"/,
  })
  t.end()
})

t.test('a new password is long enough, typeable, not common, and not the name', (t) => {
  const passwords = createPasswords()
  const kind = (password: string, ...names: string[]) => passwords.problem(password, names)?.kind
  t.strictSame(passwords.problem('short'), { kind: 'short', least: 8 })
  t.strictSame(passwords.problem('x'.repeat(257)), { kind: 'long', most: 256 })
  t.equal(kind('x'.repeat(50_000)), 'long')
  t.equal(kind('가나다라마바사'), 'short', 'counted in characters, not bytes')
  t.equal(kind('\ufb01\ufb01 lamps'), undefined)
  t.equal(kind('with a\u0007bell inside'), 'characters')
  t.equal(kind('half \ud800 a pair here'), 'characters')
  t.equal(kind('not yet \u{50000} assigned'), 'characters')
  for (const common of [
    'password',
    'Password1!',
    'P4$$w0rd2026',
    'ｐａｓｓｗｏｒｄ',
    '12345678',
    '87654321',
    'qwertyuiop',
    'aaaaaaaa',
    'abababab',
    'abcdefgh',
    '1q2w3e4r',
    'iloveyou!!',
    '!!Summer2026',
    '199012310101',
    'tkfkdgo1234',
  ]) {
    t.equal(kind(common), 'common', common)
  }
  t.equal(kind('Mara-1987', 'mara'), 'name')
  t.equal(kind('한결한결한결!!', '한결한결한결'), 'name')
  t.equal(kind('theodora@site.example', 'theodora@site.example'), 'name')
  t.equal(kind('THEODORA', 'theodora@site.example'), 'name')
  for (const fine of [
    GOOD,
    'correct horse battery staple',
    '나무 위의 고양이',
    '8341 6620 9173 44',
  ]) {
    t.equal(kind(fine, 'mara'), undefined, fine)
  }
  for (const each of ['short', 'long', 'characters', 'common', 'name'] as const) {
    const words = describePasswordProblem({ kind: each, least: 8, most: 256 })
    t.match(words, /^(?:has|can|holds|is) .{10,}[^.]$/)
  }
  t.end()
})

t.test('folding makes one of what looks alike, and a folded text stays as it is', (t) => {
  t.equal(fold('Straße'), fold('STRASSE'))
  t.equal(fold('ΟΔΟΣ'), fold('οδος'))
  t.equal(fold('ＡＬＩＣＥ'), 'alice')
  t.equal(fold('ﬁn'), 'fin')
  t.not(fold('alice'), fold('alicé'))
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      t.equal(fold(fold(text)), fold(text))
      t.equal(fold(text.toUpperCase()), fold(text))
    }),
    { numRuns: 2000 },
  )
  for (let point = 0; point < 0x30000; point++) {
    const one = String.fromCodePoint(point)
    if (one.isWellFormed() && fold(fold(one)) !== fold(one)) t.fail(point.toString(16))
  }
  t.end()
})

t.test('a name of any length is held against a password in no time to speak of', (t) => {
  const passwords = createPasswords()
  const long = `a${'1'.repeat(1_000_000)}a`
  // By trying every place of the digits this would take a quarter of an hour.
  t.equal(passwords.problem(GOOD, [long]), undefined)
  t.match(passwords.problem('mara-lindqvist7', [long, 'mara-lindqvist']), { kind: 'name' })
  t.end()
})
