import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { folder, run, serve } from '../support/binary.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls'
export const config = defineConfig({ urls, port: 1 })`,
  'urls.ts': `import { json, path, type Request, text, urlconf } from 'uwas'
import { slow } from './views/slow.ts'
const hello = (req: Request<{ name: string }>) => text('hello ' + req.params.name)
const echo = async (req: Request) => json({ length: (await req.bytes()).length })
export const urls = urlconf(
  path('/hello/<str:name>', hello),
  path('/slow', slow),
  path('/echo', echo, { methods: ['POST'] }),
  path('/forget', () => { void Promise.reject(new Error('forgotten')); return text('oops') }),
)`,
  'views/slow.ts': `import { text } from 'uwas'
export async function slow() {
  await new Promise((resolve) => setTimeout(resolve, 700))
  return text('slow but whole')
}`,
}

/** Code of the error that a new connection meets, or undefined when it is accepted. */
function connectionError(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

t.test('a folder is served without any configuration', async (t) => {
  const root = folder(t, { 'index.html': '<h1>hi</h1>', 'a/b.txt': 'b', '.secret': 'no' })
  const { port, stderr } = await serve(t, ['serve', root, '--port', '0'])
  t.match(stderr(), /^uwas: serving .* \(2 files\) on http:\/\/localhost:\d+\n$/m)
  const index = await fetch(`http://127.0.0.1:${port}/`)
  t.equal(await index.text(), '<h1>hi</h1>')
  t.equal(index.headers.get('content-type'), 'text/html; charset=utf-8')
  t.equal((await fetch(`http://[::1]:${port}/a/b.txt`)).status, 200, 'on both versions of IP')
  t.equal((await fetch(`http://127.0.0.1:${port}/.secret`)).status, 404)
  t.equal((await fetch(`http://127.0.0.1:${port}/nowhere`)).status, 404)
})

t.test('a folder says the types of its files, which are compressed by them', async (t) => {
  const root = folder(t, {
    'uwas.config.ts': `import { defineConfig } from 'uwas'
const types = { mine: 'text/x-mine', txt: 'application/x-sealed', old: 'text/html; charset=euc-kr' }
export const config = defineConfig({ static: [{ dir: 'a', types }, { dir: 'a', prefix: '/b' }] })`,
    'a/x.mine': 'words '.repeat(1000),
    'a/x.txt': 'words '.repeat(1000),
    'a/x.old': '<p>',
  })
  const { port } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  const ask = async (path: string) => {
    const { headers } = await fetch(`http://127.0.0.1:${port}${path}`)
    return ['content-type', 'vary', 'content-encoding'].map((name) => headers.get(name))
  }
  let mine = await ask('/x.mine')
  for (let i = 0; i < 100 && mine[2] === null; i++) {
    await sleep(100)
    mine = await ask('/x.mine')
  }
  t.strictSame(mine.slice(0, 2), ['text/x-mine; charset=utf-8', 'Accept-Encoding'])
  t.match(mine[2], /^(?:br|gzip|zstd)$/)
  t.strictSame(await ask('/x.txt'), ['application/x-sealed', null, null])
  t.equal((await ask('/x.old'))[0], 'text/html; charset=euc-kr')
  t.strictSame(await ask('/b/x.mine'), ['application/octet-stream', null, null])
  t.equal((await ask('/b/x.txt'))[0], 'text/plain; charset=utf-8')
})

t.test('--host chooses the address', async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  const { port } = await serve(t, ['serve', root, '--port', '0', '--host', '127.0.0.1'])
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
  await t.rejects(fetch(`http://[::1]:${port}/`))
})

t.test('a site in TypeScript runs where there is no package at all', async (t) => {
  const root = folder(t, SITE)
  const { port } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  const hello = await fetch(`http://127.0.0.1:${port}/hello/world`)
  t.equal(await hello.text(), 'hello world')
})

t.test('a site gets the uwas that runs it, not the one in its node_modules', async (t) => {
  const root = folder(t, {
    ...SITE,
    'node_modules/uwas/package.json': '{ "name": "uwas", "exports": "./index.js" }',
    'node_modules/uwas/index.js': 'throw new Error("the other copy")',
  })
  const { port } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  t.equal((await fetch(`http://127.0.0.1:${port}/hello/world`)).status, 200)
})

t.test('PORT wins over the configuration, --port over PORT', async (t) => {
  const root = folder(t, SITE)
  const env = { PORT: '0' }
  const { port } = await serve(t, ['serve'], { cwd: root, env })
  t.not(port, 1)
  const wrong = await run(['serve'], { cwd: root, env: { PORT: 'many' } })
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /the environment's PORT is "many"; it has to be a number from 0 to 65535/)
  const other = await serve(t, ['serve', '--port', '0'], { cwd: root, env: { PORT: String(port) } })
  t.not(other.port, port)
  const odd = await serve(t, ['serve', '--port', '0'], { cwd: root, env: { PORT: 'many' } })
  t.ok(odd.port > 0, '--port wins over a PORT that is none')
})

t.test(
  'a folder is served on --port whatever PORT is, and a wrong PORT names no file',
  async (t) => {
    const root = folder(t, { 'index.html': 'x' })
    const env = { PORT: 'abc' }
    t.ok((await serve(t, ['serve', root, '--port', '0'], { env })).port > 0)
    const { code, stderr } = await run(['serve', root], { env })
    t.equal(code, 2)
    t.match(
      stderr,
      /cannot serve ".*": the environment's PORT is "abc"; it has to be a number from 0/,
    )
    t.match(stderr, '[UWAS_ERR_COMMANDS_FOLDER]')
    t.notMatch(stderr, 'uwas serve')
  },
)

t.test('a port that is taken is told, with what to do', async (t) => {
  const root = folder(t, { 'index.html': 'x' })
  const first = await serve(t, ['serve', root, '--port', '0'])
  const { code, stderr } = await run(['serve', root, '--port', String(first.port)])
  t.equal(code, 2)
  t.match(
    stderr,
    /cannot listen on .*: another program listens there; .*--port \[UWAS_ERR_SERVER_LISTEN\]/,
  )
  t.notMatch(stderr, /\n\s+at /)
})

t.test(
  'SIGTERM lets a reply that has begun end, refuses new connections and exits with 0',
  async (t) => {
    const root = folder(t, SITE)
    const { port, child, finished, printed } = await serve(t, ['serve', '--port', '0'], {
      cwd: root,
    })
    const slow = fetch(`http://127.0.0.1:${port}/slow`)
    await fetch(`http://127.0.0.1:${port}/hello/x`)
    child.kill('SIGTERM')
    await printed(/SIGTERM: finishing what has begun/)
    t.equal(await connectionError(port), 'ECONNREFUSED')
    t.equal(await (await slow).text(), 'slow but whole')
    t.match(await finished, { code: 0, signal: null })
  },
)

t.test('a second signal exits at once', async (t) => {
  const root = folder(t, {
    'uwas.config.ts': `import { path, text, urlconf } from 'uwas'
export const config = { urls: urlconf(path('/', () => new Promise<never>(() => {}))) }`,
  })
  const { port, child, finished, printed } = await serve(t, ['serve', '--port', '0'], { cwd: root })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 200))
  child.kill('SIGINT')
  await printed(/SIGINT: finishing/)
  child.kill('SIGINT')
  const { code, stderr } = await finished
  t.equal(code, 1)
  t.match(stderr, /second signal \(SIGINT\): exiting at once/)
})

t.test(
  'without workers a rejected promise that nobody handles ends the process with 1, its stack logged',
  async (t) => {
    const root = folder(t, SITE)
    const { port, finished } = await serve(t, ['serve', '--workers', '0', '--port', '0'], {
      cwd: root,
    })
    await fetch(`http://127.0.0.1:${port}/forget`).catch(() => undefined)
    const { code, stderr } = await finished
    t.equal(code, 1)
    t.match(
      stderr,
      /the site's code left a rejected promise unhandled\nError: forgotten\n\s+at .*urls\.ts/,
    )
  },
)

t.test('limits of header and body bytes are the configuration’s', async (t) => {
  const root = folder(t, {
    ...SITE,
    'uwas.config.ts': `import { urls } from './urls'
export const config = { urls, limits: { maxHeaderBytes: 4096, maxBodyBytes: 100 } }`,
  })
  const small = await serve(t, ['serve', '--port', '0'], { cwd: root })
  const url = (port: number, path: string) => `http://127.0.0.1:${port}${path}`
  const headers = { cookie: `a=${'x'.repeat(10_000)}` }
  const refused = await fetch(url(small.port, '/hello/x'), { headers }).then(
    ({ status }) => status,
    () => 0,
  )
  t.not(refused, 200, 'a block of 10 KB is too long')
  const body = 'x'.repeat(101)
  t.equal((await fetch(url(small.port, '/echo'), { method: 'POST', body })).status, 413)
  t.equal((await fetch(url(small.port, '/echo'), { method: 'POST', body: 'x' })).status, 200)
  const usual = await serve(t, ['serve', '--port', '0'], { cwd: folder(t, SITE) })
  t.equal((await fetch(url(usual.port, '/hello/x'), { headers })).status, 200)
  t.equal((await fetch(url(usual.port, '/echo'), { method: 'POST', body })).status, 200)
})
