/** The way of a request, with the times of the last page and the last file that the server answered. */
import { type RecordedTrace, type Reply, type Request, recentTraces } from 'uwas'
import { describeByHand, describeTicket, describeWay } from '../flow/describe.ts'
import { speakerOf } from '../i18n/language.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'

/** The file that is fetched for a fresh measurement. */
const MEASURED_FILE = '/static/css/base.css'

export function flow(req: Request): Promise<Reply> {
  const speaker = speakerOf(req)
  const { t } = speaker
  const traces = recentTraces(req)
  const lastPage = traces.find((trace) => trace.lane === 'view' && isPage(trace))
  const lastFile = traces.find((trace) => trace.lane === 'static')
  return page(req, 'flow/flow', {
    title: t.way.title,
    current: 'flow',
    measuredFile: MEASURED_FILE,
    tickets: [describeTicket(speaker, 'page', lastPage), describeTicket(speaker, 'file', lastFile)],
    ...describeWay(speaker, lastPage, lastFile),
    byHand: describeByHand(t, url('list'), MEASURED_FILE),
  })
}

/** A page that somebody read, this one excepted. */
function isPage({ method, status, path }: RecordedTrace): boolean {
  return method === 'GET' && status === 200 && path !== url('flow')
}
