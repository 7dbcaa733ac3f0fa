/** A real nginx in front, whose connections to us are kept: what README.md says of chunked uploads. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { text } from '../../src/http/reply.ts'
import { loadNative } from '../../src/native/load.ts'
import { serve } from '../support/application.ts'
import { folder } from '../support/binary.ts'
import { missing } from '../support/programs.ts'
import { dial, raw } from '../support/raw.ts'

const skip =
  loadNative().gate === null
    ? 'without the addon there is no gate'
    : missing('nginx', 'nginx-light', '-v')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** With one kept connection to `upstream`, so that each request but the first is a later one of it. */
async function nginx(t: Test, upstream: number, setting: string): Promise<number> {
  const port = await freePort()
  const dir = folder(t, {})
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  mkdirSync(join(dir, 'logs'))
  const lines = [
    'daemon off; worker_processes 1;',
    process.getuid?.() === 0 ? 'user root;' : '',
    `pid ${dir}/pid; error_log ${dir}/logs/error.log;`,
    'events { worker_connections 64; }',
    'http { access_log off;',
    ...temporary.map((name) => `${name}_temp_path ${dir}/${name};`),
    `upstream site { server 127.0.0.1:${upstream}; keepalive 1; }`,
    `server { listen 127.0.0.1:${port}; location / {`,
    'proxy_pass http://site; proxy_http_version 1.1; proxy_set_header Connection "";',
    `${setting} } } }`,
  ]
  writeFileSync(join(dir, 'nginx.conf'), lines.join('\n'))
  const args = ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'logs/error.log')]
  const child: ChildProcess = spawn('nginx', args, { stdio: 'ignore' })
  t.teardown(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  })
  for (let i = 0; i < 200; i++) {
    const socket = await dial(port).catch(() => null)
    socket?.destroy()
    if (socket !== null) return port
    await sleep(25)
  }
  throw new Error('nginx does not listen')
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
const CHUNKS = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'

/** The body of what answers a chunked upload, of which nginx has the head before the rest. */
async function upload(port: number): Promise<string> {
  const socket = await dial(port)
  socket.write(HEAD)
  await sleep(100)
  const { responses } = await raw(port, CHUNKS, { socket })
  return `${responses[0]?.body}`
}

for (const { setting, told } of [
  { setting: 'proxy_request_buffering on;', told: 'abcde' },
  { setting: 'proxy_request_buffering off;', told: '411 Length Required\n' },
]) {
  t.test(`chunked uploads over a kept connection of nginx, ${setting}`, { skip }, async (t) => {
    const { port } = await serve(t, async (req) => text(Buffer.from(await req.bytes()).toString()))
    const front = await nginx(t, port, setting)
    const { responses } = await raw(front, GET)
    t.equal(responses[0]?.status, 200)
    t.equal(await upload(front), told)
  })
}
