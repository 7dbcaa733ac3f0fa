/** Rules of paths and the files that answer under other names: over real sockets, on both lanes. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { text } from '../../../src/http/reply.ts'
import { path, urlconf } from '../../../src/route/urlconf.ts'
import { createPasswords } from '../../../src/was/accounts/passwords.ts'
import type { StaticFolder, UserConfig } from '../../../src/was/config-types.ts'
import { siteOf, type TestSite } from '../../support/serving.ts'

const DENY = ['loopback']
const HTML = ['Accept: text/html']

/** A site with these files, each of which says its own name. */
async function filesOf(
  t: Test,
  names: readonly string[],
  folder: Partial<StaticFolder>,
  config: UserConfig,
): Promise<TestSite> {
  const dir = mkdtempSync(join(tmpdir(), 'uwas-guards-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  for (const name of names) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), `content of ${name}`)
  }
  return siteOf(t, { static: [{ dir, prefix: '/', ...folder }], ...config })
}

const closed = (...paths: readonly string[]) => paths.map((path) => ({ path, deny: DENY }))

const fingerprint = (name: string) =>
  createHash('sha256').update(`content of ${name}`).digest('hex').slice(0, 8)

/** By the native lane and, as an absolute target, by the strict one. */
async function expectStatus(
  t: Test,
  { ask }: TestSite,
  targets: readonly string[],
  status: number,
): Promise<void> {
  for (const target of targets) {
    for (const sent of [target, `http://x${target}`]) {
      t.equal((await ask(sent, HTML)).status, status, sent)
      t.equal((await ask(sent, HTML, 'HEAD')).status, status, `HEAD ${sent}`)
    }
  }
}

t.test('a rule of a file holds for every name that it answers to', async (t) => {
  const names = ['page.html', 'private/index.html', 's.css', 'plain', 'open.html']
  const rules = closed('/page.html', '/private/index.html', '/s.css', '/plain')
  const site = await filesOf(t, names, { cleanUrls: true }, { access: rules })
  const prints = [`/s.${fingerprint('s.css')}.css`, `/plain.${fingerprint('plain')}`]
  for (const each of prints) t.ok(site.app.files.lookup(each), `${each} is a name`)
  const others = ['/page', '/page.html', '/private/', '/s.css', '/plain', '/%70age']
  await expectStatus(t, site, [...others, ...prints], 403)
  await expectStatus(t, site, ['/open'], 200)
})

t.test('a rule of a clean URL or of a folder holds for the file by its name', async (t) => {
  const names = ['page.html', 'private/index.html', 'docs/start.htm', 'open.html']
  const folder = { cleanUrls: true, index: ['index.html', 'start.htm'] }
  const site = await filesOf(t, names, folder, { access: closed('/page', '/private/', '/docs') })
  const targets = ['/page', '/page.html', '/private/', '/private/index.html']
  await expectStatus(t, site, [...targets, '/docs/', '/docs/start.htm'], 403)
  await expectStatus(t, site, ['/open'], 200)
})

t.test('an index of another name is covered by its rule', async (t) => {
  const site = await filesOf(
    t,
    ['a/start.htm', 'b/start.htm'],
    { index: ['start.htm'] },
    {
      access: closed('/a/start.htm'),
    },
  )
  await expectStatus(t, site, ['/a/', '/a/start.htm'], 403)
  await expectStatus(t, site, ['/b/', '/b/start.htm'], 200)
})

t.test('what was packed beforehand is as closed as the file beside it', async (t) => {
  const names = ['page.html', 'page.html.br', 'page.html.gz', 'open.txt', 'open.txt.zst']
  const site = await filesOf(t, names, {}, { access: closed('/page.html') })
  const print = `/page.html.${fingerprint('page.html.br')}.br`
  t.ok(site.app.files.lookup(print), 'the fingerprinted name is one')
  await expectStatus(t, site, ['/page.html', '/page.html.br', '/page.html.gz', print], 403)
  await expectStatus(t, site, ['/open.txt', '/open.txt.zst'], 200)
})

t.test('without clean URLs a page and a view beside it have rules of their own', async (t) => {
  const urls = urlconf(path('/page', () => text('view')))
  const site = await filesOf(t, ['page.html'], {}, { urls, access: closed('/page.html') })
  await expectStatus(t, site, ['/page.html'], 403)
  await expectStatus(t, site, ['/page'], 200)
})

t.test('the shell of a single-page application is as closed as its file', async (t) => {
  const urls = urlconf(path('/view', () => text('view')))
  for (const rule of ['/app/index.html', '/app/*', '/app/']) {
    const names = ['app/index.html', 'open.txt']
    const site = await filesOf(t, names, { spa: 'app/index.html' }, { urls, access: closed(rule) })
    await expectStatus(t, site, ['/app/', '/app/index.html', '/users/7', '/%75sers'], 403)
    await expectStatus(t, site, ['/open.txt', '/view'], 200)
    await expectStatus(t, site, ['/missing.js'], 404)
    t.notMatch((await site.ask('/users/7', HTML)).body.toString(), 'content of')
  }
})

t.test('the shell asks for a password once, and counts a request once', async (t) => {
  const users = { mara: await createPasswords().hash('right') }
  const site = await filesOf(
    t,
    ['index.html'],
    { spa: true },
    {
      access: [{ path: '/index.html', basicAuth: { users } }],
      limits: {
        requests: [
          { requests: 9, perSeconds: 100_000, name: 'site' },
          { path: '/index.html', requests: 5, perSeconds: 100_000, name: 'shell' },
        ],
      },
    },
  )
  const right = `Authorization: Basic ${Buffer.from('mara:right').toString('base64')}`
  const refused = await site.ask('/users/7', HTML)
  t.equal(refused.status, 401)
  t.match(refused.headers['www-authenticate'], /^Basic realm=/)
  const shell = await site.ask('/users/7', [...HTML, right])
  t.equal(shell.body.toString(), 'content of index.html')
  t.match(shell.headers['cache-control'], /^private/, 'for no shared cache')
  t.match(shell.headers['ratelimit'], /"site";r=7;/)
  t.match(shell.headers['ratelimit'], /"shell";r=3;/)
  const index = await site.ask('/', [...HTML, right])
  t.match(index.headers['ratelimit'], /"site";r=6;/)
  t.match(index.headers['ratelimit'], /"shell";r=2;/)
})

t.test('closed folders are not listed, and their name leads to no slash', async (t) => {
  const site = await filesOf(
    t,
    ['in/a.txt', 'out/b.txt'],
    { listing: true },
    {
      access: closed('/in/*'),
      rewrites: [{ from: '/back/*', to: '/in/*' }],
    },
  )
  await expectStatus(t, site, ['/in', '/in/', '/in/a.txt', '/back/', '/back/a.txt', '/%69n/'], 403)
  await expectStatus(t, site, ['/out/', '/'], 200)
})

t.test('a listing has what its reader may have', async (t) => {
  const users = { mara: await createPasswords().hash('right') }
  const names = ['.env', '.git/x', 'in/a.txt', 'open.txt', 'own/b.txt', 'own/c.txt', 'shut.txt']
  const site = await filesOf(
    t,
    names,
    { listing: true },
    {
      access: [
        ...closed('/in/*', '/shut.txt', '/own/c.txt'),
        { path: '/own/*', basicAuth: { users } },
        { path: '/open.txt', allow: ['loopback'] },
      ],
      limits: { requests: [{ path: '/open.txt', requests: 1, perSeconds: 100_000 }] },
    },
  )
  const listed = async (target: string, fields: string[] = []) => {
    const { body } = await site.ask(target, ['Accept: application/json', ...fields])
    return (JSON.parse(body.toString()) as { name: string }[]).map(({ name }) => name)
  }
  t.strictSame(await listed('/'), ['open.txt'])
  t.strictSame(await listed('/'), ['open.txt'], 'and nothing is counted')
  const right = `Authorization: Basic ${Buffer.from('mara:right').toString('base64')}`
  t.strictSame(await listed('/own/', [right]), ['b.txt'], 'with the password that it is behind')
  await expectStatus(t, site, ['/'], 200)
  const page = await site.ask('/', HTML)
  t.notMatch(page.body.toString(), /shut|in\/|own|more/)
})
