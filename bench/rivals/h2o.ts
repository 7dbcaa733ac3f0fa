/** h2o of Debian's package: a thread a core, files kept open, precompressed siblings. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Rival, type RivalContext, runPinned } from './rival.ts'

export const h2o: Rival = {
  name: 'h2o',
  missing: () =>
    spawnSync('h2o', ['--version']).error === undefined
      ? undefined
      : 'h2o is not here: apt-get install h2o',
  version: () => spawnSync('h2o', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '',
  async start(context) {
    const file = join(context.scratch, 'h2o.conf')
    const text = configuration(context)
    writeFileSync(file, text)
    return { ...(await runPinned(context, ['h2o', '-c', file])), configuration: text }
  },
}

function configuration({ dir, scratch, port, cores, headers }: RivalContext): string {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const fields = headers
    .filter(([name]) => name.toLowerCase() !== 'content-type')
    .map(([name, value]) => `header.set: ${JSON.stringify(`${name}: ${value}`)}`)
  return `
${process.getuid?.() === 0 ? 'user: root\n' : ''}num-threads: ${cores.length}
max-connections: 8192
pid-file: ${scratch}/h2o.pid
error-log: ${scratch}/errors
http1-request-timeout: 65
http1-upgrade-to-http2: OFF
server-name: h2o
file.etag: ON
file.send-compressed: ON
file.mime.setdefaulttype: ${JSON.stringify(type)}
file.mime.removetypes: [ ".txt", ".html" ]
${fields.join('\n')}
listen:
  host: 127.0.0.1
  port: ${port}
hosts:
  default:
    paths:
      /:
        file.dir: ${dir}
`
}
