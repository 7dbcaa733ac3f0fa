/** Records of exchanges as the lanes would make them. */
import { ExchangeRecord } from '../../src/observe/exchange-record.ts'

/** One that has been answered with a page of 7 bytes; `parts` are other than usual. */
export function recordOf(parts: Partial<Omit<ExchangeRecord, 'id'>> = {}): ExchangeRecord {
  const record = new ExchangeRecord({ ended() {} })
  return Object.assign(record, {
    method: 'GET',
    path: '/posts/7',
    host: 'x.test',
    address: '192.0.2.1',
    status: 200,
    bodyBytes: 7,
    ...parts,
  })
}
