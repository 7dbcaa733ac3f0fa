import t from 'tap'
import { folder, run } from '../support/binary.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig, path, text, urlconf } from 'uwas'
const done = () => text('done')
export const config = defineConfig({
  urls: urlconf(
    path('/', done),
    path('/post', done, { methods: ['POST'] }),
    path('/public', done, { methods: ['POST'], csrf: 'fetchMetadata' }),
    path('/hook', done, { methods: ['POST'], csrf: false, name: 'hook' }),
  ),
  secrets: ['a secret of more than thirty-two bytes'],
  sessions: { store: 'cookie' },
  allowedHosts: ['example.org'],
})
`,
}

t.test('routes, explain and check tell which forms are taken without a proof', async (t) => {
  const cwd = folder(t, SITE)
  const routes = await run(['routes'], { cwd })
  t.match(routes.stdout, /METHODS +PATTERN +NAME +CSRF +PLACE/)
  t.match(routes.stdout, /POST +\/post +token +uwas/)
  t.match(routes.stdout, /POST +\/public +fetchMetadata +uwas/)
  t.match(routes.stdout, /POST +\/hook +hook +off +uwas/)
  const json = JSON.parse((await run(['routes', '--json'], { cwd })).stdout) as {
    routes: { csrf: string }[]
  }
  t.strictSame(
    json.routes.map(({ csrf }) => csrf),
    ['none', 'token', 'fetchMetadata', 'off'],
  )
  const explained = async (method: string, url: string) =>
    (await run(['explain', method, url], { cwd })).stdout
  t.match(await explained('POST', '/post'), /CSRF +forms need the token of a page of this site/)
  t.match(await explained('POST', '/hook'), /CSRF +forms are taken from anywhere \(csrf: false\)/)
  t.notMatch(await explained('GET', '/'), 'CSRF')
  t.match(
    await explained('GET', 'http://evil.example/'),
    /421 Misdirected Request: .*the host "evil.example" is none of allowedHosts/,
  )
  const check = await run(['check'], { cwd })
  t.equal(check.code, 0)
  t.match(check.stderr, /forms are taken from anywhere, as it says: \/hook \(uwas\.config\.ts:8\)/)
})

t.test('check finds a secret that is too short, and does not quote it', async (t) => {
  const site = SITE['uwas.config.ts'].replace('a secret of more than thirty-two bytes', 'hunter2')
  const check = await run(['check'], { cwd: folder(t, { 'uwas.config.ts': site }) })
  t.equal(check.code, 1)
  t.match(check.stderr, /has at 0 one of 7 bytes; 32 are the least/)
  t.notMatch(check.stderr, 'hunter2')
})

t.test("uwas's own tables are made by migrate, and missed by check before", async (t) => {
  const site = SITE['uwas.config.ts'].replace("{ store: 'cookie' }", '{}')
  const cwd = folder(t, { 'uwas.config.ts': site })
  const before = await run(['check'], { cwd })
  t.equal(before.code, 0, before.stderr)
  t.match(
    before.stderr,
    `warning: uwas's own tables (sessions 1) are missing; "uwas migrate" or the next start makes them`,
  )
  const made = await run(['migrate'], { cwd })
  t.equal(made.code, 0, made.stderr)
  t.match(made.stderr, "made uwas's own tables: sessions 1")
  const after = await run(['check'], { cwd })
  t.equal(after.code, 0, after.stderr)
  t.match(after.stderr, /10 statements/)
})
