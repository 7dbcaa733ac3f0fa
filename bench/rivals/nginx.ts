/**
 * nginx with one worker and caches of open files, in its three ways to send a file. The report shows
 * all three; the fastest is the peer.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf } from '../method/cpu.ts'
import { type Rival, type RivalContext, startPinned, stopChild } from './rival.ts'

const VARIANTS = {
  'sendfile + tcp_nopush': 'sendfile on; tcp_nopush on;',
  sendfile: 'sendfile on; tcp_nopush off;',
  'no sendfile': 'sendfile off; tcp_nopush off;',
}

/** Fields that nginx writes by itself for a file. */
const BY_ITSELF = new Set(['content-type', 'etag', 'last-modified', 'accept-ranges', 'server'])

const NO_LOG = 'access_log off;'

export const nginxVariants: readonly Rival[] = Object.entries(VARIANTS).map(([name, sending]) =>
  nginxWith(`nginx (${name})`, { family: 'nginx', sending, log: () => NO_LOG }),
)

/** As it writes a small file fastest, without a log and with the usual one, in the batches in which uwas writes its own. */
export const nginxLogging: readonly Rival[] = [
  nginxWith('nginx', { sending: VARIANTS['no sendfile'], log: () => NO_LOG }),
  nginxWith('nginx, combined log', {
    sending: VARIANTS['no sendfile'],
    log: (scratch) => `access_log ${scratch}/access.log combined buffer=64k flush=1s;`,
  }),
]

/** By TLS. */
export const nginxSecure: readonly Rival[] = [
  nginxWith('nginx, HTTP/1.1 alone', { sending: VARIANTS['no sendfile'], log: () => NO_LOG }),
  nginxWith('nginx, HTTP/2 too', {
    sending: VARIANTS['no sendfile'],
    log: () => NO_LOG,
    http2: true,
  }),
]

interface Settings {
  readonly sending: string
  log(scratch: string): string
  /** Offered where it answers by TLS. */
  readonly http2?: true
}

function nginxWith(name: string, { family, ...settings }: Settings & Pick<Rival, 'family'>): Rival {
  return {
    name,
    ...(family !== undefined && { family }),
    missing: () =>
      spawnSync('nginx', ['-v']).error === undefined
        ? undefined
        : 'nginx is not here: apt-get install nginx',
    version: () => spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.trim(),
    async start(context) {
      const file = join(context.scratch, 'nginx.conf')
      const text = configuration(context, settings)
      writeFileSync(file, text)
      execFileSync('nginx', ['-t', '-q', '-p', context.scratch, '-c', file], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const command = ['nginx', '-p', context.scratch, '-c', file]
      const child = await startPinned(context.cores, context.port, command)
      const master = Number(readFileSync(join(context.scratch, 'nginx.pid'), 'utf8'))
      const pids = [master, ...childrenOf(master)]
      return { pids, command, configuration: text, stop: () => stopChild(child) }
    },
  }
}

function configuration(
  { dir, scratch, port, cores, headers, secure }: RivalContext,
  { sending, log, http2 }: Settings,
): string {
  const fields = headers
    .filter(([name]) => !BY_ITSELF.has(name.toLowerCase()))
    .map(([name, value]) => `add_header ${name} "${value}";`)
  const byTls =
    secure === undefined
      ? ''
      : `listen 127.0.0.1:${secure.port} ssl ${http2 === true ? 'http2 ' : ''}reuseport backlog=4096;
    ssl_certificate ${secure.certFile}; ssl_certificate_key ${secure.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off;`
  return `
daemon off; pid ${scratch}/nginx.pid; error_log stderr crit; user root;
worker_processes ${cores.length}; worker_rlimit_nofile 65536;
events { worker_connections 8192; multi_accept off; }
http {
  include /etc/nginx/mime.types; charset utf-8; charset_types text/plain;
  ${log(scratch)} server_tokens off; etag on; gzip off; gzip_static on;
  ${sending} tcp_nodelay on; sendfile_max_chunk 2m;
  open_file_cache max=20000 inactive=300s; open_file_cache_valid 60s;
  open_file_cache_min_uses 1; open_file_cache_errors on;
  keepalive_timeout 65; keepalive_requests 100000000; reset_timedout_connection on;
  client_body_temp_path ${scratch}/body; proxy_temp_path ${scratch}/proxy;
  fastcgi_temp_path ${scratch}/fastcgi; uwsgi_temp_path ${scratch}/uwsgi; scgi_temp_path ${scratch}/scgi;
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096; root ${dir};
    ${byTls}
    ${fields.join('\n    ')}
    location / { }
  }
}
`
}
