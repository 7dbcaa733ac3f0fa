import fc from 'fast-check'
import t from 'tap'
import { Services } from '../../src/core/services.ts'
import { text } from '../../src/http/reply.ts'
import { setSignedCookie, signedCookie } from '../../src/http/signed-cookie.ts'
import { isSigned, requireSigned, signUrl } from '../../src/http/signed-url.ts'
import { SIGNER, Signer } from '../../src/http/signing.ts'
import { requestOf } from '../support/request.ts'

const OLD = 'o'.repeat(32)
const NEW = 'n'.repeat(40)
const now = Date.now

/** Runs with the clock so many seconds later. */
function later<T>(seconds: number, work: () => T): T {
  Date.now = () => now() + seconds * 1000
  try {
    return work()
  } finally {
    Date.now = now
  }
}

t.test('what was signed or encrypted comes back, for its purpose and its time alone', (t) => {
  const signer = new Signer([OLD])
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      t.equal(signer.unsign('a', signer.sign('a', value)), value)
      t.equal(signer.decrypt('a', signer.encrypt('a', value)), value)
    }),
  )
  const [signed, hidden] = [signer.sign('a', 'x'), signer.encrypt('a', 'x')]
  t.equal(signer.unsign('b', signed), undefined)
  t.equal(signer.decrypt('b', hidden), undefined)
  t.equal(
    later(59, () => signer.unsign('a', signed, 60)),
    'x',
  )
  t.equal(
    later(62, () => signer.unsign('a', signed, 60)),
    undefined,
  )
  t.equal(
    later(62, () => signer.decrypt('a', hidden, 60)),
    undefined,
  )
  t.not(signer.encrypt('a', 'x'), hidden, 'never the same twice')
  t.notMatch(Buffer.from(signer.encrypt('a', 'secret word'), 'base64url').toString(), /secret/)
  t.end()
})

t.test('no change of a single character passes', (t) => {
  const signer = new Signer([OLD])
  const texts = { unsign: signer.sign('a', 'value'), decrypt: signer.encrypt('a', 'value') }
  for (const method of ['unsign', 'decrypt'] as const) {
    const good = texts[method]
    for (let i = 0; i < good.length; i++) {
      for (const char of ['A', 'B', '-', '.', '=', '', '&']) {
        const forged = good.slice(0, i) + char + good.slice(i + 1)
        if (forged === good) continue
        const bytes = (text: string) => Buffer.from(text.split('.').at(-1) ?? '', 'base64url')
        // The last character of base64 holds bits that stand for nothing.
        const isSame = i === good.length - 1 && bytes(forged).equals(bytes(good))
        if (!isSame) t.equal(signer[method]('a', forged), undefined, `${method} ${i} ${char}`)
      }
    }
    for (const none of ['', '.', 'a', 'a.b', '한', good + good]) {
      t.equal(signer[method]('a', none), undefined)
    }
  }
  t.end()
})

t.test('secrets rotate: the first signs, all verify', (t) => {
  const before = new Signer([OLD])
  const during = new Signer([NEW, OLD])
  const after = new Signer([NEW])
  const old = before.sign('a', 'x')
  t.equal(during.unsign('a', old), 'x')
  t.equal(after.unsign('a', old), undefined)
  t.equal(after.unsign('a', during.sign('a', 'y')), 'y')
  t.equal(during.decrypt('a', before.encrypt('a', 'x')), 'x')
  t.equal(after.decrypt('a', before.encrypt('a', 'x')), undefined)
  t.end()
})

t.test('short secrets are refused and never quoted', (t) => {
  const refused = (secrets: readonly string[], message: string | RegExp) =>
    t.throws(() => new Signer(secrets), { code: 'UWAS_ERR_HTTP_SECRET', message })
  refused([], 'secrets is empty')
  refused([NEW, 'hunter2'], /^secrets has at 1 one of 7 bytes; 32 are the least/)
  refused([undefined as never], /has at 0 one of 0 bytes/)
  t.end()
})

t.test('a signed cookie cannot be changed, taken for another, or kept too long', (t) => {
  const services = new Services().provide(SIGNER, new Signer([OLD]))
  const set = (encrypted: boolean) => {
    const reply = setSignedCookie(
      requestOf('GET', '/', { services }),
      text(''),
      'who',
      'Ann & 한',
      { encrypted },
    )
    return reply.headers?.[0]?.[1]?.split(';')[0]?.split('=')[1] ?? ''
  }
  const read = (cookie: string, options = {}) =>
    signedCookie(requestOf('GET', '/', { services, headers: { cookie } }), 'who', options)
  for (const encrypted of [false, true]) {
    const value = set(encrypted)
    t.equal(read(`who=${value}`, { encrypted }), 'Ann & 한')
    t.equal(read(`who=${value}`, { encrypted: !encrypted }), undefined)
    t.equal(read(`who=x${value}`, { encrypted }), undefined)
    t.equal(read('', { encrypted }), undefined)
    const other = requestOf('GET', '/', { services, headers: { cookie: `admin=${value}` } })
    t.equal(signedCookie(other, 'admin', { encrypted }), undefined)
    t.equal(
      later(100, () => read(`who=${value}`, { encrypted, maxAgeSeconds: 60 })),
      undefined,
    )
  }
  t.throws(() => setSignedCookie(requestOf('GET', '/'), text(''), 'who', ''), {
    code: 'UWAS_ERR_CORE_SERVICE_MISSING',
    message: /set `secrets` in uwas\.config\.ts/,
  })
  t.end()
})

t.test('a signed URL is good as it is and as long as it says', (t) => {
  const services = new Services().provide(SIGNER, new Signer([OLD]))
  const ask = (target: string) => isSigned(requestOf('GET', target, { services }))
  const make = (path: string) => signUrl(requestOf('GET', '/', { services }), path, 60)
  for (const path of ['/files/a.pdf', '/files?name=a&b=c']) {
    const link = make(path)
    t.ok(ask(link), link)
    t.notOk(later(120, () => ask(link)))
    t.notOk(ask(link.replace('/files', '/other')))
    t.notOk(ask(`${link}&`), 'nothing may be added')
    t.notOk(ask(`${link}&x=1`))
    t.notOk(ask(link.replace('signature=', 'signature=1')))
    t.notOk(ask(path))
  }
  t.notOk(ask(make('/files?name=a').replace('name=a', 'name=b')))
  t.throws(() => requireSigned(requestOf('GET', '/files', { services })), { message: 'Not Found' })
  t.end()
})
