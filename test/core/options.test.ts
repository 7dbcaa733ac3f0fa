import t from 'tap'
import { wholeOption } from '../../src/core/options.ts'

t.test('an option outside of its bounds is told with its bounds', (t) => {
  t.equal(wholeOption('limit()', 'burst', 1, 1, 5), 1)
  t.equal(wholeOption('limit()', 'burst', 5, 1, 5), 5)
  for (const value of [0, 6, 1.5, Number.NaN, '3', null, undefined, {}]) {
    t.throws(() => wholeOption('limit()', 'burst', value, 1, 5), {
      code: 'UWAS_ERR_CORE_INVALID_OPTION',
      message: `limit(): burst is ${String(value)}; it must be a whole number from 1 to 5`,
    })
  }
  t.end()
})
