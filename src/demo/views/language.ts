/** The language switch in the head of every page: keeps the choice and goes back to the page. */
import { type Reply, type Request, redirect } from 'uwas'
import { isLanguage, LANGUAGE_COOKIE } from '../i18n/language.ts'
import { url } from '../urls.ts'

const YEAR_SECONDS = 365 * 24 * 60 * 60

export async function changeLanguage(req: Request): Promise<Reply> {
  const form = await req.form()
  const lang = form.get('lang')
  const reply = redirect(localPath(form.get('next')))
  if (!isLanguage(lang)) return reply
  return reply.cookie(LANGUAGE_COOKIE, lang, { maxAgeSeconds: YEAR_SECONDS, secure: req.secure })
}

/** Only a path of this site: what a form sends could name any other. */
function localPath(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : url('list')
}
