/** nginx in front of an application server on the same core, as people run it. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ASK_MS, type RivalContext, startPinned } from './rival.ts'

/** What an application server takes to load its site. */
const START_MS = 20_000

export interface Passing {
  /** Path of the unix socket that the application server listens on. */
  readonly socket: string
  /** What stands in `location /`; the upstream's name is `site`. */
  readonly directives: string
}

export function missingNginx(): string | undefined {
  return spawnSync('nginx', ['-v']).error === undefined
    ? undefined
    : 'nginx is not here: apt-get install nginx'
}

export function startFront(
  context: RivalContext,
  passing: Passing,
): ReturnType<typeof startPinned> {
  const { cores, port, scratch } = context
  const file = join(scratch, 'nginx.conf')
  writeFileSync(file, frontConfiguration(context, passing))
  return startPinned(cores, port, ['nginx', '-p', scratch, '-c', file])
}

/** nginx answers 502 until what is behind it is there. Throws when that takes too long. */
export async function answersBehind(port: number): Promise<void> {
  const until = Date.now() + START_MS
  while (Date.now() < until) {
    const { status } = await fetch(`http://127.0.0.1:${port}/json`)
    if (status !== 502) return
    await sleep(ASK_MS)
  }
  throw new Error('nothing answers behind nginx')
}

export function frontConfiguration(
  { scratch, port, files, headers, cores }: RivalContext,
  { socket, directives }: Passing,
): string {
  const fields = headers
    .filter(([name]) => name.toLowerCase() !== 'content-type')
    .map(([name, value]) => `add_header ${name} "${value}" always;`)
  const folder =
    files === undefined
      ? ''
      : `location /static/ { root ${files}; ${fields.join(' ')} open_file_cache max=1000; }`
  return `
daemon off; pid ${scratch}/nginx.pid; error_log stderr crit; user root;
worker_processes ${cores.length}; worker_rlimit_nofile 65536;
events { worker_connections 8192; multi_accept off; }
http {
  include /etc/nginx/mime.types; sendfile on; tcp_nopush on;
  access_log off; server_tokens off; gzip off;
  keepalive_timeout 65; keepalive_requests 100000000; reset_timedout_connection on;
  client_body_temp_path ${scratch}/body; proxy_temp_path ${scratch}/proxy;
  fastcgi_temp_path ${scratch}/fastcgi; uwsgi_temp_path ${scratch}/uwsgi; scgi_temp_path ${scratch}/scgi;
  upstream site { server unix:${socket}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096;
    ${folder}
    location / {
      ${directives.trim().replaceAll('\n', '\n      ')}
    }
  }
}
`
}
