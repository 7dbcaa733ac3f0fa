/** Apache with mpm_event in one process, in its two ways to read a file. The report shows both; the faster one is the peer. */
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Rival, type RivalContext, runPinned, withChildren } from './rival.ts'

const VARIANTS = {
  mmap: 'EnableMMAP On\nEnableSendfile Off',
  sendfile: 'EnableMMAP Off\nEnableSendfile On',
}

/** Where Debian has them; some are compiled in elsewhere. */
const MODULES = '/usr/lib/apache2/modules'
const NEEDED = ['mpm_event', 'authz_core', 'mime', 'headers', 'rewrite']

const THREADS = 128

/** Fields that Apache writes by itself for a file. */
const BY_ITSELF = new Set(['content-type'])

export const apacheVariants: readonly Rival[] = Object.entries(VARIANTS).map(([name, reading]) => ({
  name: `Apache (${name})`,
  family: 'Apache',
  missing: () =>
    spawnSync('apache2', ['-v']).error === undefined
      ? undefined
      : 'apache2 is not here: apt-get install apache2',
  version: () =>
    /^Server version: (.*)$/m.exec(
      spawnSync('apache2', ['-v'], { encoding: 'utf8' }).stdout,
    )?.[1] ?? '',
  async start(context) {
    const file = join(context.scratch, 'apache.conf')
    const text = configuration(context, reading)
    writeFileSync(file, text)
    const command = ['apache2', '-d', context.scratch, '-f', file, '-D', 'FOREGROUND']
    return { ...withChildren(await runPinned(context, command)), configuration: text }
  },
}))

/**
 * The listener waits for the next requests of all connections. When a thread is not free for each of them that has one, the
 * event MPM ends connections that are kept alive, so there are twice as many threads as connections.
 */
function configuration({ dir, scratch, port, headers }: RivalContext, reading: string): string {
  const modules = NEEDED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
  const fields = headers
    .filter(([name]) => !BY_ITSELF.has(name.toLowerCase()))
    .map(([name, value]) => `Header always set ${name} "${value}"`)
  return `
${modules.join('\n')}
Listen 127.0.0.1:${port}
ServerName 127.0.0.1
DefaultRuntimeDir ${scratch}
PidFile ${scratch}/apache.pid
ErrorLog ${scratch}/errors
LogLevel crit
User www-data
Group www-data
ServerTokens Prod
ServerLimit 1
StartServers 1
ThreadLimit ${THREADS}
ThreadsPerChild ${THREADS}
MinSpareThreads 1
MaxSpareThreads ${THREADS}
MaxRequestWorkers ${THREADS}
AsyncRequestWorkerFactor 64
MaxConnectionsPerChild 0
ListenBacklog 4096
KeepAlive On
KeepAliveTimeout 65
MaxKeepAliveRequests 0
HostnameLookups Off
${reading}
TypesConfig /etc/mime.types
AddDefaultCharset utf-8
FileETag MTime Size
DocumentRoot ${dir}
<Directory ${dir}>
  Options FollowSymLinks
  AllowOverride None
  Require all granted
  ${hasGzip(dir) ? PRECOMPRESSED : ''}
</Directory>
${fields.join('\n')}
`
}

/** Apache knows no precompressed siblings: this is how its manual has them served. It costs, so it stands only where they are. */
const PRECOMPRESSED = `RemoveType .gz
  AddEncoding gzip .gz
  RewriteEngine On
  RewriteCond %{HTTP:Accept-Encoding} gzip
  RewriteCond %{REQUEST_FILENAME}.gz -s
  RewriteRule ^(.*)$ $1.gz [L]`

function hasGzip(dir: string): boolean {
  return readdirSync(dir).some((name) => name.endsWith('.gz'))
}
