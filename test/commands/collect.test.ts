import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { folder, put, run, serve } from '../support/binary.ts'

t.setTimeout(300_000)

const CSS = 'body { margin: 0; color: #123456 }\n'.repeat(50)
const SITE = {
  'uwas.config.ts': `export const config = {
    static: [{ dir: 'public', prefix: '/static', cleanUrls: true }, { dir: 'root' }],
    files: { maxFileBytes: 300_000 }, database: false }`,
  'public/css/site.css': CSS,
  'public/css/site.css.gz': 'made by somebody else',
  'public/about.html': '<p>about</p>',
  'public/a b é.txt': 'odd',
  'public/photo.jpg': CSS,
  'root/index.html': '<p>index</p>',
  'root/large.bin': 'x'.repeat(700_001),
  'root/.env': 'SECRET=1',
}

const tree = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(dir, name)).isFile())
    .sort()

t.test('the folder holds what the site would serve, under the names that pages use', async (t) => {
  const cwd = folder(t, SITE)
  const { code, stderr } = await run(['collect', 'out'], { cwd })
  t.equal(code, 0, stderr)
  t.match(stderr, /out: 7 files by 13 names, \d+ of them compressed as well/)
  const out = join(cwd, 'out')
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'))
  t.same(Object.keys(manifest), [
    '/index.html',
    '/large.bin',
    '/static/a b é.txt',
    '/static/about.html',
    '/static/css/site.css',
    '/static/css/site.css.gz',
    '/static/photo.jpg',
  ])
  const names = tree(out)
  t.notMatch(names.join('\n'), /env|\.new/)
  const url = manifest['/static/css/site.css']
  t.match(url, /^\/static\/css\/site\.[0-9a-f]{8}\.css$/)
  for (const name of ['/static/css/site.css', url]) {
    t.equal(readFileSync(join(out, name), 'utf8'), CSS)
    t.equal(String(brotliDecompressSync(readFileSync(join(out, `${name}.br`)))), CSS)
    t.equal(readFileSync(join(out, `${name}.gz`), 'utf8'), 'made by somebody else')
  }
  t.notOk(names.includes('static/photo.jpg.br'), 'no picture is compressed')
  t.ok(names.includes('static/a b é.txt'))
  t.equal(manifest['/large.bin'], '/large.bin', 'what is never in memory has no fingerprint')
  t.equal(statSync(join(out, 'large.bin')).size, 700_001)

  // The server gives pages the same URLs.
  const { port } = await serve(t, ['serve', '--port', '0'], { cwd })
  for (const [path, served] of Object.entries(manifest as Record<string, string>)) {
    const reply = await fetch(`http://127.0.0.1:${port}${served}`, {
      headers: { 'accept-encoding': 'identity' },
    })
    const bytes = Buffer.from(await reply.arrayBuffer())
    t.ok(bytes.equals(readFileSync(join(out, decodeURIComponent(served)))), path)
  }
})

t.test('a second time it brings the folder up to date, and old names stay', async (t) => {
  const cwd = folder(t, SITE)
  await run(['collect', 'out'], { cwd })
  const before = tree(join(cwd, 'out'))
  put(cwd, 'public/about.html', `<p>${'new '.repeat(100)}</p>`)
  const { code } = await run(['collect', 'out'], { cwd })
  t.equal(code, 0)
  const after = tree(join(cwd, 'out'))
  t.ok(before.every((name) => after.includes(name)))
  t.equal(after.filter((name) => /^static\/about\.[0-9a-f]{8}\.html$/.test(name)).length, 2)
  t.match(readFileSync(join(cwd, 'out/static/about.html'), 'utf8'), 'new new')
  const packed = readFileSync(join(cwd, 'out/static/about.html.gz'))
  t.match(String(gunzipSync(packed)), 'new new')
})

t.test('a folder that would be served, or is none, is refused', async (t) => {
  const cwd = folder(t, { ...SITE, file: '' })
  mkdirSync(join(cwd, 'empty'))
  const refused = async (dir: string, problem: string, at = cwd) => {
    const { code, stderr } = await run(['collect', dir], { cwd: at })
    t.equal(code, 2, dir)
    t.match(
      stderr,
      `static files cannot be collected into "${dir}": ${problem} [UWAS_ERR_COMMANDS_COLLECT]`,
    )
  }
  await refused('public/out', 'it is in public, which the site serves')
  await refused('.', 'it is around public, which the site serves')
  await refused('file', 'it is no folder')
  const none = folder(t, { 'uwas.config.ts': `export const config = { database: false }` })
  await refused('out', 'the site has no static files: add "static"', none)
})
