/** A whole site on a port of this machine, for tests of what its stages do together. */
import { join } from 'node:path'
import type { Test } from 'tap'
import { type App, type Backends, createApp, openBackends } from '../../src/app.ts'
import { createLog } from '../../src/core/log.ts'
import { securityHeaders } from '../../src/http/security-headers.ts'
import { connectionRules } from '../../src/server/connection-limits.ts'
import { listen, type Server } from '../../src/server/server.ts'
import { openTls } from '../../src/server/tls/open-tls.ts'
import { parseConfig } from '../../src/was/config.ts'
import type { UserConfig } from '../../src/was/config-types.ts'
import { type RawResponse, raw } from './raw.ts'

export interface TestSite {
  readonly app: App
  readonly backends: Backends
  readonly server: Server
  readonly log: string[]
  /** One request on a connection of its own. `fields`: lines without their ends. */
  ask(target: string, fields?: readonly string[], method?: string): Promise<RawResponse>
  /** Serves new code over the same backends. */
  reload(config: UserConfig): Promise<void>
}

export async function siteOf(t: Test, config: UserConfig): Promise<TestSite> {
  const dir = t.testdir({})
  const log: string[] = []
  const logger = createLog((line) => log.push(line))
  const parse = (each: UserConfig) =>
    parseConfig({ stateDir: 'state', ...each }, { file: join(dir, 'uwas.config.ts'), env: {} })
  const backends = await openBackends(parse(config), logger)
  const app = await createApp(parse(config), backends, { log: logger })
  const headers = securityHeaders(app.config.securityHeaders)
  const tls = await openTls(app.config.tls, logger)
  const connections = connectionRules(app.config)
  const server = await listen(app, { host: '127.0.0.1', port: 0, headers, tls, connections })
  let closing: Promise<number> | undefined
  const close: Server['close'] = (options) => {
    closing ??= server.close(options)
    return closing
  }
  t.teardown(async () => {
    await close({ graceMs: 0 })
    await backends.close()
  })
  return {
    app,
    backends,
    server: { ...server, close },
    log,
    async ask(target, fields = [], method = 'GET') {
      const host = fields.some((line) => /^host:/i.test(line)) ? [] : ['Host: x']
      const lines = [`${method} ${target} HTTP/1.1`, ...host, ...fields, '', '']
      const { responses } = await raw(server.port, lines.join('\r\n'), { methods: [method] })
      const [response] = responses
      if (response === undefined) throw new Error(`no response to ${method} ${target}`)
      return response
    },
    async reload(next) {
      server.use(await createApp(parse(next), backends, { log: logger }))
    },
  }
}
