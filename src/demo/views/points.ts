/** Points: how many one has, whom one gives some, and what has changed hands. */
import {
  authorize,
  type FormContext,
  findUser,
  flash,
  formView,
  invalid,
  messages,
  type Reply,
  type Request,
  redirect,
} from 'uwas'
import { pointsForm } from '../forms/forms.ts'
import { fingerprintOf } from '../forms/submission.ts'
import { fill, formatCount, formatMoment, formatNumber } from '../i18n/format.ts'
import { speakerOf } from '../i18n/language.ts'
import { memberById, newestTransfers, sendPoints } from '../models/members.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'

const SHOWN_TRANSFERS = 50

/** A form that is sent twice is one transfer, also where nobody knows what became of the first. */
export const points = formView({
  form: pointsForm,
  initial: () => ({ token: crypto.randomUUID() }),
  show: showPoints,
  async save(req, values): Promise<Reply> {
    const member = await authorize(req)
    const words = speakerOf(req).t.points
    const { to, amount } = values
    if (!/^[1-9]\d*$/.test(amount)) throw invalid({ amount: words.number })
    const neighbour = await findUser(req, to)
    if (neighbour === undefined) throw invalid({ to: words.nobody })
    if (neighbour.id === member.id) throw invalid({ to: words.self })
    const outcome = await sendPoints(req, {
      submission: fingerprintOf({ ...values, from: member.id }),
      fromId: member.id,
      toId: neighbour.id,
      amount: Number(amount),
    })
    if (outcome === 'poor') throw invalid({ amount: words.poor })
    if (outcome === 'nobody') throw invalid({ to: words.nobody })
    flash(req, 'success', words.done)
    return redirect(url('points'))
  },
})

async function showPoints(req: Request, form: FormContext, status: number): Promise<Reply> {
  const { id: userId } = await authorize(req)
  const { lang, t } = speakerOf(req)
  const [row, transfers] = await Promise.all([
    memberById.maybe(req, { userId }),
    newestTransfers.all(req, { userId, limit: SHOWN_TRANSFERS }),
  ])
  const data = {
    title: form.summary === '' ? t.points.title : `${form.summary} – ${t.points.title}`,
    balance: formatCount(lang, t.points.balance, row?.points ?? 0),
    done: status === 200 ? (messages(req)[0]?.text ?? '') : '',
    form: { ...form, submit: t.points.give },
    transfers: transfers.map(({ amount, isGift, name, createdAt }) => ({
      text: fill(isGift ? t.points.got : t.points.given, { n: formatNumber(lang, amount), name }),
      time: formatMoment(lang, createdAt),
    })),
  }
  return page(req, 'account/points', data, status)
}
