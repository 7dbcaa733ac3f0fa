import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { folder, run, serve } from '../support/binary.ts'

/** Asks until the answer is this text; some seconds at most. */
async function becomes(url: string, text: string): Promise<string> {
  let found = ''
  for (let tries = 0; tries < 500 && found !== text; tries++) {
    if (tries > 0) await sleep(20)
    found = await (await fetch(url)).text()
  }
  return found
}

t.test('a folder is listed, has clean URLs and a shell where that is said', async (t) => {
  const root = folder(t, {
    'index.html': 'shell',
    'about.html': 'about',
    'docs/a.txt': 'a',
  })
  const { port } = await serve(t, [
    'serve',
    root,
    '--port',
    '0',
    '--spa',
    '--listing',
    '--clean-urls',
  ])
  const ask = (path: string, accept = 'text/html') =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept }, redirect: 'manual' })
  t.equal(await (await ask('/users/7')).text(), 'shell')
  t.equal((await ask('/users/7', 'application/json')).status, 404)
  t.equal((await ask('/app.js')).status, 404)
  for (const path of ['/user/a.me', '/sites/example.com', '/x/site.in']) {
    t.equal(await (await ask(path)).text(), 'shell', path)
  }
  t.equal(await (await ask('/about')).text(), 'about')
  t.equal((await ask('/about.html')).headers.get('location'), '/about')
  t.match(await (await ask('/docs/')).text(), '<a href="./a.txt">a.txt</a>')
  t.match(await (await ask('/docs/', 'application/json')).json(), [{ name: 'a.txt', size: 1 }])
  for (const path of ['/docs/', '/docs', '/users/7']) {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const refused = await fetch(`http://127.0.0.1:${port}${path}`, { method })
      t.equal(refused.status, 405, `${method} ${path}`)
      t.equal(refused.headers.get('allow'), 'GET, HEAD, OPTIONS')
    }
    const told = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'OPTIONS' })
    t.equal(told.status, 204, path)
    t.equal(told.headers.get('allow'), 'GET, HEAD, OPTIONS')
  }
  const plain = await serve(t, ['serve', root, '--port', '0'])
  for (const path of ['/users/7', '/docs/', '/about']) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status } = await fetch(`http://127.0.0.1:${plain.port}${path}`, { method })
      t.equal(status, 404, `${method} ${path}`)
    }
  }
  const named = await serve(t, ['serve', root, '--port', '0', '--spa', 'about.html'])
  t.equal(await (await fetch(`http://127.0.0.1:${named.port}/x`)).text(), 'about')
})

t.test('changes show at once, and so does the next release behind a link', async (t) => {
  const root = folder(t, { 'r1/a.txt': 'one', 'r2/a.txt': 'two' })
  symlinkSync('r1', join(root, 'current'))
  const { port } = await serve(t, ['serve', join(root, 'current'), '--port', '0'])
  const url = `http://127.0.0.1:${port}/a.txt`
  t.equal(await becomes(url, 'one'), 'one')
  writeFileSync(join(root, 'r1/a.txt'), 'one and a half')
  t.equal(await becomes(url, 'one and a half'), 'one and a half')
  symlinkSync('r2', join(root, 'next'))
  renameSync(join(root, 'next'), join(root, 'current'))
  t.equal(await becomes(url, 'two'), 'two')
})

t.test('these flags are for a folder', async (t) => {
  const root = folder(t, { 'uwas.config.ts': 'export const config = {}' })
  const { code, stderr } = await run(['serve', '--listing'], { cwd: root })
  t.equal(code, 2)
  t.match(
    stderr,
    '--spa, --listing and --clean-urls are for "uwas serve DIR"; in a site set them for its folders, in the key "static" of its configuration [UWAS_ERR_COMMANDS_FOLDER_FLAGS]',
  )
  const missing = await run(['serve', root, '--spa', '/x.html'])
  t.equal(missing.code, 2)
  t.match(missing.stderr, 'static[0].spa is no path inside the folder')
})
