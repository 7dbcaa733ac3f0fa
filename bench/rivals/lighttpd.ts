/** lighttpd with its cache of files; it has no precompressed siblings, that row is left out. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Rival, type RivalContext, runPinned } from './rival.ts'

export const lighttpd: Rival = {
  name: 'lighttpd',
  cannotSet: ['+content-type'],
  missing: () =>
    spawnSync('lighttpd', ['-v']).error === undefined
      ? undefined
      : 'lighttpd is not here: apt-get install lighttpd',
  version: () =>
    spawnSync('lighttpd', ['-v'], { encoding: 'utf8' }).stdout.split(' - ')[0]?.trim() ?? '',
  async start(context) {
    const file = join(context.scratch, 'lighttpd.conf')
    const text = configuration(context)
    writeFileSync(file, text)
    return {
      ...(await runPinned(context, ['lighttpd', '-D', '-f', file])),
      configuration: text,
    }
  },
}

function configuration({ dir, scratch, port, cores, headers }: RivalContext): string {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const fields = headers
    .filter(([name]) => name.toLowerCase() !== 'content-type')
    .map(([name, value]) => `"${name}" => "${value}"`)
  return `
server.modules = ( "mod_setenv" )
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${dir}"
server.errorlog = "${scratch}/errors"
server.tag = ""
${cores.length > 1 ? `server.max-worker = ${cores.length}\n` : ''}server.max-fds = 8192
server.max-connections = 4096
server.max-keep-alive-requests = 100000000
server.stat-cache-engine = "simple"
mimetype.assign = ( "" => "${type}" )
setenv.set-response-header = ( ${fields.join(', ')} )
`
}
