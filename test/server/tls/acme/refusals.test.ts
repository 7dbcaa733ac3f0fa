/** Who is no authority, and what would not be served: nothing of it is kept, and nobody is asked again at once. */
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Deferred } from '../../../../src/core/deferred.ts'
import type { KeeperOptions } from '../../../../src/server/tls/acme/keeper.ts'
import { certificateFile, type SiteAcme } from '../../../../src/was/acme.ts'
import { authorityOf } from '../../../support/certificates.ts'
import { acmePlace, keep, NAME } from '../../../support/keeper.ts'

const authority = authorityOf(t)
const caFile = join(authority.dir, 'roots.pem')
writeFileSync(caFile, authority.root)

/** An authority in name only. */
async function impostor(t: Test, answer: RequestListener): Promise<string> {
  const own = authority.issue('impostor', ['IP:127.0.0.1'])
  const options = { cert: readFileSync(own.certFile), key: readFileSync(own.keyFile) }
  const server = createServer(options, answer).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/directory`
}

t.test('who is no authority, or is not believed, gets no order', async (t) => {
  const acme = await acmePlace(t, { caFile })
  const page = await impostor(t, (_req, res) => res.end('<h1>Welcome</h1>'))
  const gone = await impostor(t, (_req, res) => res.writeHead(503).end('{"detail":"later"}'))
  const said: [Partial<SiteAcme>, RegExp][] = [
    [{ directory: page }, /Unable to locate API resource URL in ACME directory: "newAccount"/],
    [{ directory: gone }, /Attempting to read ACME directory returned error 503/],
    [{ directory: page, caFile: null }, /self-signed certificate in certificate chain/],
  ]
  for (const [more, problem] of said) {
    const { heard, keeper } = keep(t, { ...acme, ...more })
    t.match(await heard(problem), 'no certificate for www.example.org')
    await keeper.close()
    rmSync(join(acme.authorityDir, `${NAME}.attempts.json`))
  }
})

t.test('what would not be served is not kept', async (t) => {
  const acme = await acmePlace(t, { caFile })
  const other = authority.issue('other', ['other.test'])
  const mine = authority.issue('mine', [NAME])
  const late = authority.issue('late', [NAME], { from: -20, to: -10 })
  const given: [string, RegExp][] = [
    [`${other.key}${other.cert}`, /is no certificate for that name/],
    [`${other.key}${mine.cert}`, /is a certificate for another key/],
    [`${late.key}${late.cert}`, /ended on .* is the clock of this machine right\?/],
    ['nonsense', /is no certificate for that name/],
  ]
  for (const [pem, problem] of given) {
    const { heard, keeper } = keep(t, acme, { issue: async () => pem })
    t.match(await heard(problem), 'no certificate for www.example.org')
    await keeper.close()
    rmSync(join(acme.authorityDir, `${NAME}.attempts.json`))
  }
  t.notOk(existsSync(certificateFile(acme, NAME)))
})

t.test('what has failed counts although it cannot be written down', async (t) => {
  const acme = await acmePlace(t, { caFile })
  let orders = 0
  const issue = async () => {
    orders++
    rmSync(acme.authorityDir, { recursive: true, force: true })
    throw new Error('refused')
  }
  const { heard, keeper } = keep(t, acme, { issue })
  await heard(/cannot be looked after/)
  mkdirSync(acme.authorityDir)
  keeper.start()
  await keeper.close()
  t.equal(orders, 1)
})

t.test('an order that is being made is given up at the end, and is no failure', async (t) => {
  const acme = await acmePlace(t, { caFile })
  const begun = new Deferred<void>()
  const issue: KeeperOptions['issue'] = (_order, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')))
      begun.resolve()
    })
  const { keeper, lines } = keep(t, acme, { issue })
  await begun.promise
  await keeper.close()
  t.strictSame(lines, [])
  t.notOk(existsSync(join(acme.dir, 'lock')))
  t.strictSame(keeper.kept(), [{ name: NAME, failures: 0 }])
})
