/** The board's configuration. Paths are relative to this file. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'uwas'
import { contentSecurityPolicy, sameOrigin } from './middleware.ts'
import { secretIn } from './secret.ts'
import { urls } from './urls.ts'

export const config = defineConfig({
  urls,
  middleware: [contentSecurityPolicy, sameOrigin],
  static: [
    { dir: '../../static', prefix: '/static' },
    { dir: '../../static/root', prefix: '/' },
  ],
  templates: 'templates',
  migrations: 'migrations',
  stateDir: '../../.uwas',
  secrets: [secretIn(fileURLToPath(new URL('../../.uwas', import.meta.url)))],
  sessions: {},
  accounts: { groups: { editors: ['posts.hide'] }, logInPath: '/log-in' },
  timings: true,
})
