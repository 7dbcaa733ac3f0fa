/** The site that the bench measures: written as any site is, with the defaults of uwas. */
import { defineConfig } from 'uwas'
import { urls } from './urls.ts'

export const config = defineConfig({
  urls,
  templates: 'templates',
  stateDir: process.env['BENCH_STATE'] ?? '.uwas',
})
