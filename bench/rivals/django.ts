/**
 * Django in gunicorn, of Debian's packages: by itself, and behind nginx as people run it. One worker of four
 * threads, which on one core was the quickest of the settings that keep their connections.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { childrenOf } from '../method/cpu.ts'
import { type Rival, type RivalContext, startPinned, stopChild } from './rival.ts'

/** Debian's interpreter, whichever comes first on the PATH. */
const PYTHON = '/usr/bin/python3'
const SITE = fileURLToPath(new URL('views/django/', import.meta.url))
/** What gunicorn takes to load the site. */
const START_MS = 20_000
const PACKAGES = 'python3-django gunicorn python3-psycopg2'

export const djangoVariants: readonly Rival[] = [
  {
    name: 'gunicorn + Django',
    family: 'Django',
    missing,
    version,
    async start(context) {
      const bind = `127.0.0.1:${context.port}`
      const child = await startGunicorn(context, bind)
      const pids = processesOf(child.pid as number)
      return { pids, command: commandOf(context, bind), stop: () => stopChild(child) }
    },
  },
  {
    name: 'nginx + gunicorn + Django',
    family: 'Django',
    missing: () =>
      spawnSync('nginx', ['-v']).error === undefined
        ? missing()
        : 'nginx is not here: apt-get install nginx',
    version,
    async start(context) {
      const bind = `unix:${socketOf(context)}`
      const nginx = await startNginx(context)
      const gunicorn = await startGunicorn(context, bind)
      await answersBehind(context.port)
      return {
        pids: [nginx, gunicorn].flatMap(({ pid }) => processesOf(pid as number)),
        command: commandOf(context, bind),
        configuration: configuration(context),
        stop: async () => {
          await Promise.all([stopChild(nginx), stopChild(gunicorn)])
        },
      }
    },
  },
]

function socketOf({ scratch }: RivalContext): string {
  return join(scratch, 'gunicorn.sock')
}

function processesOf(pid: number): number[] {
  return [pid, ...childrenOf(pid)]
}

function startGunicorn(context: RivalContext, bind: string): ReturnType<typeof startPinned> {
  const { cpu, port, headers, database } = context
  return startPinned(cpu, port, commandOf(context, bind), {
    BENCH_DATABASE: JSON.stringify(database),
    BENCH_FIELDS: JSON.stringify(headers),
    PYTHONDONTWRITEBYTECODE: '1',
  })
}

function commandOf({ scratch }: RivalContext, bind: string): string[] {
  const settings = '--workers 1 --worker-class gthread --threads 4 --keep-alive 120'.split(' ')
  const site = ['bench_site:application', '--chdir', SITE, '--bind', bind]
  return [PYTHON, '-m', 'gunicorn', ...site, ...settings, '--worker-tmp-dir', scratch]
}

/** nginx answers 502 until gunicorn is there. */
async function answersBehind(port: number): Promise<void> {
  const until = Date.now() + START_MS
  while (Date.now() < until) {
    const { status } = await fetch(`http://127.0.0.1:${port}/json`)
    if (status !== 502) return
    await sleep(50)
  }
  throw new Error('gunicorn does not answer behind nginx')
}

function startNginx(context: RivalContext): ReturnType<typeof startPinned> {
  const { cpu, port, scratch } = context
  const file = join(scratch, 'nginx.conf')
  writeFileSync(file, configuration(context))
  return startPinned(cpu, port, ['nginx', '-p', scratch, '-c', file])
}

function configuration(context: RivalContext): string {
  const { scratch, port } = context
  return `
daemon off; pid ${scratch}/nginx.pid; error_log stderr crit; user root;
worker_processes 1; worker_rlimit_nofile 65536;
events { worker_connections 8192; multi_accept off; }
http {
  access_log off; server_tokens off; gzip off;
  keepalive_timeout 65; keepalive_requests 100000000; reset_timedout_connection on;
  client_body_temp_path ${scratch}/body; proxy_temp_path ${scratch}/proxy;
  fastcgi_temp_path ${scratch}/fastcgi; uwsgi_temp_path ${scratch}/uwsgi; scgi_temp_path ${scratch}/scgi;
  upstream django { server unix:${socketOf(context)}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096;
    location / {
      proxy_pass http://django;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
}
`
}

function missing(): string | undefined {
  const imports = spawnSync(PYTHON, ['-c', 'import django, gunicorn, psycopg2'])
  return imports.status === 0 ? undefined : `Django is not here: apt-get install ${PACKAGES}`
}

function version(): string {
  const script =
    "import django, gunicorn; print('Django', django.__version__, 'gunicorn', gunicorn.__version__)"
  return spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' }).stdout.trim()
}
