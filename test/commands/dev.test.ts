import { chmodSync, chownSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { folder, put, serve } from '../support/binary.ts'

const SITE = {
  'uwas.config.ts': `import { defineConfig } from 'uwas'
import { urls } from './urls.ts'
export const config = defineConfig({ urls, templates: 'templates', static: [{ dir: 'public', prefix: '/public' }] })`,
  'urls.ts': `import { html, path, render, urlconf } from 'uwas'
import { word } from './word.ts'
export const urls = urlconf(
  path('/', (req) => render(req, 'page', { word })),
  path('/plain', () => html('<p>no body tag')),
  path('/throws', () => { throw new Error('<b>not escaped</b>') }),
)`,
  'word.ts': "export const word = 'first'",
  'templates/page.mustache': '<html><body><p>{{word}}</p></body></html>',
  'public/site.css': 'p { color: red }',
  'public/robots.txt': 'old',
}

/** Reads the events of the development server: each is `[name, data]`, in order. */
async function listen(t: Test, url: string) {
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const response = await fetch(`${url}/__uwas/live`, { signal: abort.signal })
  t.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  return async function next(): Promise<[name: string, data: string]> {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end === -1) {
        const { value, done } = await reader.read()
        if (done) return ['end', '']
        text += decoder.decode(value, { stream: true })
        continue
      }
      const event = text.slice(0, end)
      text = text.slice(end + 2)
      const name = /^event: (.*)$/m.exec(event)?.[1]
      if (name === undefined) continue
      const data = [...event.matchAll(/^data: (.*)$/gm)].map(([, line]) => line)
      return [name, data.join('\n')]
    }
  }
}

t.test(
  'a change of a template, of code or of a file shows at once, and the browser is told',
  async (t) => {
    const root = folder(t, SITE)
    const { port } = await serve(t, ['dev', '--port', '0'], { cwd: root })
    const url = `http://127.0.0.1:${port}`
    const page = async (path: string) => (await fetch(url + path)).text()
    const next = await listen(t, url)
    t.match(await next(), ['hello', /^[0-9a-f-]{36}$/])
    t.match(await page('/'), '<p>first</p>')

    put(root, 'templates/page.mustache', '<html><body><h1>{{word}}</h1></body></html>')
    t.match(await next(), ['reload', ''])
    t.match(await page('/'), '<h1>first</h1>')

    put(root, 'word.ts', "export const word: string = 'second'")
    t.match(await next(), ['reload', ''])
    t.match(await page('/'), '<h1>second</h1>', 'a module that the URL conf imports')

    put(root, 'public/robots.txt', 'new')
    t.match(await next(), ['reload', ''])
    t.equal(await page('/public/robots.txt'), 'new')

    put(root, 'public/site.css', 'p { color: blue }')
    t.match(await next(), ['restyle', ''], 'a style sheet alone does not load the page again')
    t.match(await page('/public/site.css'), 'blue')
  },
)

t.test(
  'a mistake is printed and shown, the site before it goes on, and mending it clears it',
  async (t) => {
    const root = folder(t, SITE)
    const { port, printed } = await serve(t, ['dev', '--port', '0'], { cwd: root })
    const url = `http://127.0.0.1:${port}`
    const next = await listen(t, url)
    await next()

    put(root, 'word.ts', 'export const word: = 1')
    const [name, message] = await next()
    t.equal(name, 'problem')
    t.match(message, /word\.ts:1:\d+: Expression expected|word\.ts:1:\d+: Unexpected token/)
    await printed(/the change does not work yet, the site before it is served\n.*word\.ts:1:/)
    t.match(await (await fetch(`${url}/`)).text(), '<p>first</p>')
    const late = await listen(t, url)
    await late()
    t.match(await late(), ['problem', /word\.ts:1/], 'a page that is opened later is told too')

    put(root, 'templates/page.mustache', '<html><body>{{#open}}</body></html>')
    t.match(await next(), ['problem', /word\.ts:1|page\.mustache/], 'two mistakes')
    t.match(await (await fetch(`${url}/`)).text(), '<p>first</p>')

    put(root, 'templates/page.mustache', SITE['templates/page.mustache'])
    put(root, 'word.ts', "export const word = 'mended'")
    let event = await next()
    for (let i = 0; i < 5 && event[0] === 'problem'; i++) event = await next()
    t.equal(event[0], 'reload')
    t.match(await (await fetch(`${url}/`)).text(), '<p>mended</p>')
  },
)

t.test('pages get the script that follows, before the end of their body', async (t) => {
  const root = folder(t, SITE)
  const { port } = await serve(t, ['dev', '--port', '0'], { cwd: root })
  const url = `http://127.0.0.1:${port}`
  const script = '<script src="/__uwas/live.js" defer></script>'
  t.match(await (await fetch(`${url}/`)).text(), `${script}</body></html>`)
  t.equal(await (await fetch(`${url}/plain`)).text(), `<p>no body tag${script}`)
  t.match(await (await fetch(`${url}/nowhere`)).text(), script, 'on error pages too')
  const live = await fetch(`${url}/__uwas/live.js`)
  t.match(live.headers.get('content-type'), /^text\/javascript/)
  t.match(await live.text(), "new EventSource('/__uwas/live')")
  t.equal((await fetch(`${url}/__uwas/live`, { method: 'POST' })).status, 404)
})

t.test('a static page follows too; other files stay as they are', async (t) => {
  const root = folder(t, { ...SITE, 'public/about/index.html': '<body><h1>old</h1></body>' })
  const { port } = await serve(t, ['dev', '--port', '0'], { cwd: root })
  const url = `http://127.0.0.1:${port}`
  const next = await listen(t, url)
  await next()
  const page = await fetch(`${url}/public/about`)
  t.equal(page.url, `${url}/public/about/`, 'a folder still gets its slash')
  t.match(await page.text(), '<h1>old</h1><script src="/__uwas/live.js" defer></script></body>')
  put(root, 'public/about/index.html', '<body><h1>new</h1></body>')
  t.match(await next(), ['reload', ''])
  t.match(await (await fetch(`${url}/public/about/`)).text(), '<h1>new</h1>')
  t.equal((await fetch(`${url}/public/about/`, { method: 'POST' })).status, 405)
  t.match((await fetch(`${url}/public/site.css`)).headers.get('etag'), /^"/)
})

t.test('an unexpected error shows its lines of the site, escaped', async (t) => {
  const root = folder(t, SITE)
  const { port } = await serve(t, ['dev', '--port', '0'], { cwd: root })
  const reply = await fetch(`http://127.0.0.1:${port}/throws`)
  t.equal(reply.status, 500)
  const body = await reply.text()
  t.match(body, 'Error: &lt;b&gt;not escaped&lt;/b&gt;')
  t.notMatch(body, '<b>not')
  t.match(body, /urls\.ts:6</)
  t.match(body, /<mark> +6 .*path\(&#39;\/throws&#39;|<mark> +6 .*path\('\/throws'/)
  t.notMatch(body, 'uwas-load')
})

t.test(
  'development listens on this machine alone, and stops at once while pages are open',
  async (t) => {
    const root = folder(t, SITE)
    const { port, child, finished } = await serve(t, ['dev', '--port', '0'], { cwd: root })
    const next = await listen(t, `http://127.0.0.1:${port}`)
    await next()
    await t.rejects(fetch(`http://[::1]:${port}/`))
    child.kill('SIGTERM')
    t.match(await next(), ['end', ''])
    t.match(await finished, { code: 0 })
  },
)

/** Status and body of a GET whose Host is not where it goes. */
function getAs(host: string, port: number, path: string): Promise<[status: number, body: string]> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      let body = ''
      const done = () => resolve([response.statusCode ?? 0, body])
      response.on('data', (chunk) => {
        body += chunk
        // A stream of events does not end by itself.
        if (path.endsWith('/live')) response.destroy()
      })
      response.once('close', done)
    }).once('error', reject)
  })
}

t.test('source code is shown to a Host of this machine alone', async (t) => {
  const { port } = await serve(t, ['dev', '--port', '0'], { cwd: folder(t, SITE) })
  const own = ['localhost', `LOCALHOST:${port}`, 'board.localhost:1', '127.0.0.1', `[::1]:${port}`]
  for (const host of own) {
    t.match(await getAs(host, port, '/__uwas/live'), [200, /^event: hello/], host)
  }
  const strangers = ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '10.0.0.1']
  for (const host of [...strangers, 'evillocalhost', '127.0.0.1.evil.example', '[::2]']) {
    const [status, body] = await getAs(host, port, '/__uwas/live')
    t.equal(status, 403, host)
    t.equal(body, 'uwas dev answers this to localhost, or to the address given with --host\n')
  }
  t.match(await getAs('localhost', port, '/throws'), [500, /urls\.ts:6/])
  const [status, page] = await getAs('evil.example', port, '/throws')
  t.equal(status, 500)
  t.notMatch(page, /escaped|urls\.ts/)
  t.match(await getAs('evil.example', port, '/plain'), [200, /no body tag/], 'the site itself')
})

t.test('the address given with --host is a Host of this machine', async (t) => {
  const one = await serve(t, ['dev', '--port', '0', '--host', '127.0.0.2'], {
    cwd: folder(t, SITE),
  })
  const page = await fetch(`http://127.0.0.2:${one.port}/__uwas/live.js`)
  t.equal(page.status, 200)
  const all = await serve(t, ['dev', '--port', '0', '--host', '0.0.0.0'], { cwd: folder(t, SITE) })
  t.match(await getAs('192.168.7.7', all.port, '/__uwas/live'), [200, /hello/], 'any address')
  t.match(await getAs('evil.example', all.port, '/__uwas/live'), [403, /--host/], 'but no name')
})

t.test('other templates are used at once, and followed; another port is not', async (t) => {
  const root = folder(t, {
    ...SITE,
    'pages/page.mustache': '<html><body><h2>{{word}}</h2></body></html>',
  })
  const { port, printed, stderr } = await serve(t, ['dev', '--port', '0'], { cwd: root })
  const url = `http://127.0.0.1:${port}`
  const next = await listen(t, url)
  await next()
  const config = SITE['uwas.config.ts'].replace("'templates'", "'pages', timings: true")
  put(root, 'uwas.config.ts', config)
  t.match(await next(), ['reload', ''])
  t.match(await (await fetch(url)).text(), '<h2>first</h2>')
  put(root, 'pages/page.mustache', '<html><body><h3>{{word}}</h3></body></html>')
  t.match(await next(), ['reload', ''])
  t.match(await (await fetch(url)).text(), '<h3>first</h3>')
  await printed(/the change of "timings" takes effect when uwas dev is started again/)
  t.notMatch(stderr(), /the change of "templates"/)
})

t.test('what this user may not read is not followed, and ends nothing', async (t) => {
  const root = folder(t, { ...SITE, 'closed/a.ts': '', 'private.ts': 'export const a = 1' })
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(root, 65_534, 65_534)
  chmodSync(join(root, 'closed'), 0)
  chmodSync(join(root, 'private.ts'), 0)
  t.teardown(() => chmodSync(join(root, 'closed'), 0o755))
  const env = { XDG_CACHE_HOME: join(root, '.cache') }
  const options = { cwd: root, env, ...(isRoot ? { uid: 65_534 } : {}) }
  const { port, child } = await serve(t, ['dev', '--port', '0'], options)
  const url = `http://127.0.0.1:${port}`
  const next = await listen(t, url)
  await next()
  put(root, 'word.ts', "export const word = 'second'")
  t.match(await next(), ['reload', ''])
  t.match(await (await fetch(url)).text(), '<p>second</p>')
  put(root, 'late.ts', 'export const late = 1')
  chmodSync(join(root, 'late.ts'), 0)
  t.match(await next(), ['reload', ''])
  t.equal(child.exitCode, null)
})
