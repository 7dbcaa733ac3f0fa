/** The time in lines of the access log. */
import t from 'tap'
import { isoTime, localTime } from '../../../src/observe/access/clock.ts'

t.test('it is the given moment, whatever was asked for before', async (t) => {
  const now = Date.UTC(2026, 10, 27, 0, 26, 1, 123)
  for (const ms of [now, now + 1, now, now - 1000]) {
    t.equal(isoTime(ms), new Date(ms).toISOString())
    const local = localTime(ms)
    const [, date = '', time, zone = ''] = /^(\S+?):(\S+) ([+-]\d{4})$/.exec(local) ?? []
    t.match(date, /^\d\d\/[A-Z][a-z]{2}\/\d{4}$/)
    const offset = `${zone.slice(0, 3)}:${zone.slice(3)}`
    const read = Date.parse(`${date.replaceAll('/', ' ')} ${time} GMT${offset.replace(':', '')}`)
    t.equal(read, Math.floor(ms / 1000) * 1000, local)
  }
})
