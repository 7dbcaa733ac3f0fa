/** Caddy's file server on one core, with precompressed siblings. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Rival, type RivalContext, runPinned } from './rival.ts'

/** Fields that Caddy writes by itself for a file. */
const BY_ITSELF = new Set(['content-type'])

export const caddy: Rival = {
  name: 'Caddy',
  cannotSet: ['content-length'],
  missing: () =>
    spawnSync('caddy', ['version']).error === undefined
      ? undefined
      : 'caddy is not here: apt-get install caddy',
  version: () => spawnSync('caddy', ['version'], { encoding: 'utf8' }).stdout.trim(),
  async start(context) {
    const home = join(context.scratch, 'home')
    mkdirSync(home)
    const file = join(context.scratch, 'Caddyfile')
    const text = configuration(context)
    writeFileSync(file, text)
    const command = ['caddy', 'run', '--config', file, '--adapter', 'caddyfile']
    const env = { HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home }
    return { ...(await runPinned(context, command, env)), configuration: text }
  },
}

function configuration({ dir, port, headers }: RivalContext): string {
  const fields = headers
    .filter(([name]) => !BY_ITSELF.has(name.toLowerCase()))
    .map(([name, value]) => `header ${name} "${value}"`)
  return `{
	admin off
	auto_https off
	grace_period 1s
	log {
		level ERROR
	}
}
http://127.0.0.1:${port} {
	bind 127.0.0.1
	root * ${dir}
	${fields.join('\n\t')}
	file_server {
		precompressed br gzip
	}
}
`
}
