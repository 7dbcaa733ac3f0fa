import t from 'tap'
import { startTable } from '../../bench/report/startup.ts'

t.test('the first start stands apart from those that find what it has kept', async (t) => {
  const starts = [
    { ms: 900, cpuMs: 800 },
    { ms: 210, cpuMs: 190 },
    { ms: 190, cpuMs: 170 },
    { ms: 250, cpuMs: 180 },
  ]
  const text = startTable('a page', [{ name: 'uwas', starts }])
  t.match(text, '| ms until it answers | first start | later, median | from–to | CPU |')
  t.match(text, '| uwas | 900 | 210 | 190–250 | 180 |')
})
