/** The site that the bench measures: written as any site is, with the defaults of uwas. */
import { defineConfig } from 'uwas'
import { urls } from './urls.ts'

const files = process.env['BENCH_FILES'] ?? ''

export const config = defineConfig({
  urls,
  static: files === '' ? [] : [{ dir: `${files}/static`, prefix: '/static' }],
  templates: 'templates',
  stateDir: process.env['BENCH_STATE'] ?? '.uwas',
})
