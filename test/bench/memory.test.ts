import t from 'tap'
import { memoryTable } from '../../bench/report/memory.ts'

t.test('memory stands before, at and after the load', async (t) => {
  const rows = [{ name: 'Bun', before: 20, loaded: 61.26, after: 48 }]
  const text = memoryTable('a page', rows, { seconds: 5, idle: 30 })
  t.match(text, '| PSS MiB | before | after 5 s of load | idle, 30 s or more later |')
  t.match(text, '| Bun | 20.0 | 61.3 | 48.0 |')
})
