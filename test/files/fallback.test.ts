import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Catalogue } from '../../src/files/catalogue.ts'
import type { MountOptions } from '../../src/files/mounts.ts'
import { FileReply } from '../../src/files/send-file.ts'
import type { Reply } from '../../src/http/reply.ts'
import { catalogueOf, etagOf, temporaryFolder, writeTree } from '../support/catalogue.ts'
import { requestOf } from '../support/request.ts'

async function site(
  t: Parameters<typeof catalogueOf>[0],
  files: Record<string, string>,
  mount: Partial<MountOptions>,
  options: Parameters<typeof catalogueOf>[2] = {},
) {
  const dir = await writeTree(temporaryFolder(t), files)
  const mounts = [{ dir, prefix: '/', ...mount }]
  return { dir, ...(await catalogueOf(t, dir, { mounts, ...options })) }
}

function ask(
  catalogue: Catalogue,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Reply | undefined {
  return catalogue.fallBack(requestOf(method, path, { headers }))
}

function field(reply: Reply | undefined, name: string): string | undefined {
  return reply?.headers?.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
}

/** What a shell's reply sends. */
function text(reply: Reply | undefined): string {
  if (!(reply instanceof FileReply)) throw new Error('no shell')
  return Buffer.from(reply.prepared.content?.bytes as ArrayBuffer).toString()
}

t.test('a mount that wants neither leaves everything to others', async (t) => {
  const { catalogue } = await site(t, { 'index.html': 'x', 'sub/a.txt': 'a' }, {})
  for (const path of ['/', '/sub/', '/sub', '/nowhere']) t.equal(ask(catalogue, path), undefined)
})

t.test('the shell answers where a page is wanted and none is there', async (t) => {
  const { catalogue } = await site(t, { 'app.html': '<b>shell</b>' }, { spa: 'app.html' })
  for (const path of [
    '/',
    '/users/7',
    '/users/jane.doe',
    '/v1.2',
    '/user/a.me',
    '/sites/example.com',
    '/x/site.in',
    '/@a.app',
    '/mail/jane@example.org',
    '/constructor.constructor',
    '/a/b/',
    '/missing.html',
    '/한글',
  ]) {
    const reply = ask(catalogue, path)
    t.equal(text(reply), '<b>shell</b>', path)
    t.equal(reply?.status, 200)
    t.equal(reply?.type, 'text/html; charset=utf-8')
    t.equal(field(reply, 'Cache-Control'), 'no-cache')
    t.equal(field(reply, 'ETag'), etagOf('<b>shell</b>'))
    t.match(field(reply, 'Vary'), /^Accept\b/)
  }
  t.equal(ask(catalogue, '/x', {}, 'HEAD')?.status, 200)
  for (const accept of ['text/html', '*/*', 'text/*;q=0.1', 'application/json, text/html;q=0.5']) {
    t.equal(ask(catalogue, '/x', { accept })?.status, 200, accept)
  }
})

t.test('it never stands for assets, data, hidden files or other methods', async (t) => {
  const { catalogue } = await site(t, { 'index.html': 'shell' }, { spa: 'index.html' })
  for (const path of [
    '/app.js',
    '/a/app.3f2a91c0.CSS',
    '/x.map',
    '/i.png',
    '/data.json',
    '/f.woff2',
    '/robots.txt',
    '/a/film.mp4',
    '/x.wasm',
  ]) {
    t.equal(ask(catalogue, path), undefined, path)
  }
  for (const path of ['/.env', '/.git/config', '/.well-known/x']) {
    t.equal(ask(catalogue, path), undefined, path)
  }
  for (const accept of ['application/json', 'text/html;q=0, */*', 'image/*']) {
    t.equal(ask(catalogue, '/x', { accept }), undefined, accept)
  }
  for (const path of ['/app.js', '/.env']) {
    for (const method of ['POST', 'OPTIONS']) {
      t.equal(ask(catalogue, path, {}, method), undefined, `${method} ${path}`)
    }
  }
  t.equal(ask(catalogue, '/x', { accept: 'application/json' }, 'POST'), undefined)
})

t.test('where GET is answered another method is 405, and OPTIONS says so', async (t) => {
  const spa = await site(t, { 'index.html': 'shell' }, { spa: 'index.html' })
  const listing = await site(t, { 'sub/a.txt': 'a' }, { listing: true, prefix: '/files' })
  const Allow = 'GET, HEAD, OPTIONS'
  for (const [catalogue, path] of [
    [spa.catalogue, '/users/7'],
    [listing.catalogue, '/files/'],
    [listing.catalogue, '/files/sub/'],
    [listing.catalogue, '/files/sub'],
  ] as const) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const error = t.throws(() => ask(catalogue, path, {}, method))
      t.match(error, { status: 405, headers: [['Allow', Allow]] })
    }
    const reply = ask(catalogue, path, {}, 'OPTIONS')
    t.match(reply, { status: 204, body: null, headers: [['Allow', Allow]] })
  }
  for (const path of ['/nowhere/', '/files/none/']) {
    t.equal(ask(listing.catalogue, path, {}, 'POST'), undefined)
  }
})

t.test('an ending whose type the mount says is an asset too, unless it is a page', async (t) => {
  const types = { glb: 'model/gltf-binary', page: 'text/html' }
  const { catalogue } = await site(t, { 'index.html': 'shell' }, { spa: 'index.html', types })
  t.equal(ask(catalogue, '/a.glb'), undefined)
  t.equal(text(ask(catalogue, '/a.page')), 'shell')
  t.equal(text(ask(catalogue, '/a.gltf')), 'shell')
})

t.test('a client that has the shell is told so', async (t) => {
  const { catalogue } = await site(t, { 'index.html': 'shell' }, { spa: 'index.html' })
  const reply = ask(catalogue, '/x', { 'if-none-match': etagOf('shell') })
  t.equal(reply?.status, 304)
  t.equal((reply as FileReply).prepared.content, null)
  t.equal(field(reply, 'ETag'), etagOf('shell'))
  t.match(field(reply, 'Vary'), /^Accept\b/)
})

t.test('no rule lets browsers keep the shell without asking', async (t) => {
  const { dir, catalogue } = await site(
    t,
    { 'index.html': 'shell' },
    { spa: 'index.html', cacheControl: [{ match: '**', cacheControl: 'max-age=99' }] },
  )
  t.equal(field(ask(catalogue, '/x'), 'Cache-Control'), 'no-cache')
  t.equal(catalogue.lookup('/')?.fields.cacheControl, 'max-age=99')
  await writeTree(dir, { 'index.html': 'next' })
  await catalogue.refresh()
  t.equal(text(ask(catalogue, '/x')), 'next')
  rmSync(join(dir, 'index.html'))
  await catalogue.refresh()
  t.equal(ask(catalogue, '/x'), undefined, 'no shell, no page')
})

t.test('each mount has its own shell', async (t) => {
  const base = temporaryFolder(t)
  await writeTree(join(base, 'one'), { 'index.html': 'one' })
  await writeTree(join(base, 'two'), { 'index.html': 'two' })
  const { catalogue } = await catalogueOf(t, base, {
    mounts: [
      { dir: join(base, 'one'), prefix: '/', spa: 'index.html' },
      { dir: join(base, 'two'), prefix: '/admin', spa: 'index.html' },
    ],
  })
  t.equal(text(ask(catalogue, '/x')), 'one')
  t.equal(text(ask(catalogue, '/admin/x')), 'two')
  t.equal(text(ask(catalogue, '/administrator')), 'one')
})

const TREE = {
  'b.txt': 'bb',
  'a10.txt': '',
  'a9.txt': 'x'.repeat(2048),
  'sub/c.txt': 'c',
  'sub/deep/d.txt': 'd',
  '<i>&"\'.txt': 'odd',
  'a:b c.txt': 'colon',
  '.hidden': 'h',
  '.dir/x': 'h',
  'with-index/index.html': 'i',
}

t.test('a folder without an index is listed as a page', async (t) => {
  const { catalogue } = await site(t, TREE, { listing: true })
  const reply = ask(catalogue, '/')
  t.equal(reply?.status, 200)
  t.equal(reply?.type, 'text/html; charset=utf-8')
  t.equal(field(reply, 'Vary'), 'Accept')
  t.equal(field(reply, 'Cache-Control'), 'no-cache')
  t.match(field(reply, 'Content-Security-Policy'), /^default-src 'none'; style-src 'sha256-/)
  const page = reply?.body as string
  const links = [...page.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href, name]) => [
    href,
    name,
  ])
  t.strictSame(links, [
    ['./sub/', 'sub/'],
    ['./with-index/', 'with-index/'],
    ['./%3Ci%3E&amp;%22&#39;.txt', '&lt;i&gt;&amp;&quot;&#39;.txt'],
    ['./a:b%20c.txt', 'a:b c.txt'],
    ['./a9.txt', 'a9.txt'],
    ['./a10.txt', 'a10.txt'],
    ['./b.txt', 'b.txt'],
  ])
  t.match(page, /a9\.txt<\/a><td>2\.0 KiB<td><time datetime="\d{4}-/)
  t.notMatch(page, 'hidden')
  t.match(ask(catalogue, '/sub/')?.body, '<a href="../">../</a>')
})

t.test('a client that prefers JSON gets JSON', async (t) => {
  const { catalogue } = await site(t, TREE, { listing: true })
  const reply = ask(catalogue, '/sub/', { accept: 'application/json' })
  t.equal(reply?.type, 'application/json')
  t.equal(field(reply, 'Vary'), 'Accept')
  const items = JSON.parse(reply?.body as string)
  t.match(items, [
    { name: 'deep', type: 'folder', url: './deep/' },
    { name: 'c.txt', type: 'file', url: './c.txt', size: 1, mtime: /^\d{4}-\d\d-\d\dT.*Z$/ },
  ])
  t.equal(items.length, 2)
  for (const accept of ['application/json;q=0.5, text/html', '*/*', 'image/png']) {
    t.equal(ask(catalogue, '/', { accept })?.type, 'text/html; charset=utf-8', accept)
  }
})

t.test('a folder without its slash leads to the one with it, never to another host', async (t) => {
  const { catalogue } = await site(t, { 'sub/a.txt': 'a' }, { listing: true, prefix: '/files' })
  const reply = ask(catalogue, '/files/sub?x=1')
  t.equal(reply?.status, 308)
  t.equal(field(reply, 'Location'), '/files/sub/?x=1')
  t.equal(field(ask(catalogue, '/files'), 'Location'), '/files/')
  t.equal(ask(catalogue, '/files/sub/a.txt/'), undefined)
  t.equal(ask(catalogue, '/files/nowhere/'), undefined)
  t.equal(ask(catalogue, '/'), undefined)
})

t.test('listings follow what comes and goes', async (t) => {
  const { dir, catalogue } = await site(t, { 'a/x/1.txt': '1', 'b.txt': 'b' }, { listing: true })
  const names = (path: string) => {
    const reply = ask(catalogue, path, { accept: 'application/json' })
    return reply && JSON.parse(reply.body as string).map(({ name }: { name: string }) => name)
  }
  t.strictSame(names('/'), ['a', 'b.txt'])
  rmSync(join(dir, 'a/x'), { recursive: true })
  await writeTree(dir, { 'c/2.txt': '2' })
  await catalogue.refresh()
  t.strictSame(names('/'), ['c', 'b.txt'])
  t.equal(names('/a/'), undefined)
  t.strictSame(names('/c/'), ['2.txt'])
})

t.test('a listing is bounded, and says what it leaves out', async (t) => {
  const { listFolder } = await import('../../src/files/listing.ts')
  const items = Array.from({ length: 10_003 }, (_, i) => ({
    name: `${i}`,
    isFolder: false,
    size: 1,
    lastModifiedMs: 0,
  }))
  const page = listFolder(requestOf('GET', '/'), '/', items, true).body as string
  t.equal(page.match(/<tr><td>/g)?.length, 10_000)
  t.match(page, '<p>… and 3 more.</p>')
})
