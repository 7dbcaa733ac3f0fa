/** The bench's site as `npm run bench -- soak` runs it: with its own PostgreSQL, and views that may be made to misbehave. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'uwas'
import { soakUrls } from './soak-urls.ts'

const dir = process.env['SOAK_DIR'] ?? ''
/** Read anew by each reload. */
const workers = JSON.parse(readFileSync(join(dir, 'workers.json'), 'utf8'))

export const config = defineConfig({
  urls: soakUrls,
  static: [{ dir: join(dir, 'files/static'), prefix: '/static' }],
  templates: 'templates',
  migrations: join(dir, 'migrations'),
  stateDir: join(dir, 'state'),
  database: 'embedded',
  workers,
})
