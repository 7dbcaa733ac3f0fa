/** The demo site as its visitors meet it: the built binary in a process of its own, and a real browser. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import t from 'tap'
import { testDatabaseUrl } from './postgres.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CHROMIUM = '/usr/bin/chromium'
const STARTED = /on (http:\/\/localhost:\d+)/
const START_LIMIT_MS = 60_000

/** Starts the site on a database of its own and a free port; gives its address. Ends with the file. */
export async function startDemo(own: { readonly DATABASE_URL?: string } = {}): Promise<string> {
  const DATABASE_URL = own.DATABASE_URL ?? (await testDatabaseUrl())
  const env = { ...process.env, DATABASE_URL, PORT: '' }
  const args = ['dist/main.js', 'serve', '--config', 'src/demo/uwas.config.ts', '--port', '0']
  const server = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  t.teardown(() => stop(server))
  return await started(server)
}

/** Ends with the file. */
export async function startBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`)
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

function started(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string) => reject(new Error(`the demo ${why}; it said:\n${said}`))
    const timer = setTimeout(fail, START_LIMIT_MS, `did not start in ${START_LIMIT_MS} ms`)
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const address = STARTED.exec(said)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    })
    server.once('exit', (code) => {
      clearTimeout(timer)
      fail(`ended with code ${code}`)
    })
  })
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGTERM')
  await ended
}
