/** The board's configuration. Paths are relative to this file. */
import { defineConfig } from 'uwas'
import { contentSecurityPolicy, sameOrigin } from './middleware.ts'
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
  timings: true,
})
