/**
 * Every error's reply: problem details for a client that would rather have JSON, else a page: the HTML
 * file that the site names for it, its template `errors/<status>` or `errors/error`, or a small page of
 * ours. Unexpected errors are logged with the request's id, which is all that the reply says of them: on the
 * page, and in X-Request-Id.
 */
import { readFileSync } from 'node:fs'
import { createError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { failureOf } from '../core/trace.ts'
import { withVary } from '../http/headers.ts'
import { HttpError, statusOf } from '../http/http-error.ts'
import { negotiateType } from '../http/negotiate.ts'
import { PROBLEM_TYPE, problemJson } from '../http/problem.ts'
import { bytes, html, Reply, text } from '../http/reply.ts'
import type { Request } from '../http/request.ts'
import { namesOf } from '../http/request-names.ts'
import { reasonOf } from '../http/status.ts'
import { TEMPLATES } from '../template/templates.ts'
import type { ErrorPageFile } from './config-types.ts'
import { Overloaded } from './limits/overloaded.ts'
import { PAGE_TAGS } from './page-tags.ts'

/** What an error template gets. */
export interface ErrorPageData {
  readonly status: number
  readonly reason: string
  /** Safe to show: the message of an `HttpError` or of a client's mistake; empty when it is the reason. */
  readonly message: string
  readonly requestId: string
  /** First language tag of Accept-Language, lower case; empty without one. */
  readonly lang: string
}

export interface ErrorPagesOptions {
  readonly log: Log
  /** The site's HTML files, absolute. Default none. */
  readonly files?: readonly ErrorPageFile[]
  /** Development's page of an unexpected error, in place of the site's. */
  readonly debugPage?: ((req: Request, error: unknown) => Reply) | undefined
}

export type ErrorPages = (req: Request, error: unknown) => Reply

/**
 * Reads the files, once. A page that cannot be made becomes a plain 500: the result never throws. Throws UWAS_ERR_WAS_ERROR_PAGE for one that cannot be read. The replies keep the
 * error's status, whatever goes wrong with their page, and are never stored (`no-store`).
 */
export function createErrorPages(options: ErrorPagesOptions): ErrorPages {
  const { log, debugPage } = options
  const fileFor = readFiles(options.files ?? [])
  function makePage(req: Request, error: unknown): Reply {
    const status = statusOf(error)
    logFailure(req, error, status, log)
    const reply = wantsProblem(req)
      ? problem(req, status, error)
      : status === 500 && debugPage !== undefined
        ? debugPage(req, error)
        : (fileFor(req.path, status) ?? errorPage(req, error, status, log))
    reply.header('Cache-Control', 'no-store')
    reply.header('X-Request-Id', req.id)
    reply.headers = withVary(reply.headers ?? [], 'Accept')
    for (const [name, value] of headersOf(error)) addField(reply, name, value)
    return reply
  }
  return (req, error) => {
    try {
      return makePage(req, error)
    } catch (failure) {
      log.error(`the error page of ${req.method} ${req.path} failed`, failure)
      return text('500 Internal Server Error\n', { status: 500 })
    }
  }
}

/** In the order in which a client gets them that does not care. */
const FORMS = ['text/html', PROBLEM_TYPE, 'application/json']

/** A client that accepts none of the forms gets a page: its error is more than its format. */
function wantsProblem(req: Request): boolean {
  const form = negotiateType(req.header('accept'), FORMS)
  return form !== undefined && form !== 'text/html'
}

function problem(req: Request, status: number, error: unknown): Reply {
  const detail = shownMessage(error, status)
  const problems = error instanceof HttpError ? error.problems : {}
  const places = error instanceof HttpError ? error.places : []
  const body = problemJson({ status, detail, requestId: req.id, problems, places })
  return new Reply(status, PROBLEM_TYPE, body)
}

/** The page of a status for a path: of the longest prefix, at the border of a segment. */
function readFiles(files: readonly ErrorPageFile[]) {
  const pages = files
    .map(({ status, file, prefix = '/' }) => ({
      status,
      base: prefix.replace(/\/$/, ''),
      page: readPage(file),
    }))
    .sort((a, b) => b.base.length - a.base.length)
  return (path: string, status: number): Reply | undefined => {
    const found = pages.find(
      (each) => each.status === status && `${path}/`.startsWith(`${each.base}/`),
    )
    return found && bytes(found.page, 'text/html; charset=utf-8', { status })
  }
}

function readPage(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    const problem = (error as Error).message
    throw createError('UWAS_ERR_WAS_ERROR_PAGE', { file, problem }, error)
  }
}

/** An outage makes many failures of one kind: a line each; what is unexpected gets its stack. */
function logFailure(req: Request, error: unknown, status: number, log: Log): void {
  // A client that has gone is nobody's failure.
  const hasGone = req.isAborted && error instanceof Error && error.name === 'AbortError'
  if (status < 500 || hasGone) return
  if (req.trace !== null) req.trace.failure = failureOf(error)
  // There are thousands of them; who refuses tells of them together.
  if (error instanceof Overloaded) return
  const what = `${req.method} ${req.path} → ${status} (${namesOf(req)})`
  if (status === 503 && error instanceof Error) log.warn(`${what}: ${error.message}`)
  else log.error(what, error)
}

function errorPage(req: Request, error: unknown, status: number, log: Log): Reply {
  const data: ErrorPageData = {
    status,
    reason: reasonOf(status),
    message: shownMessage(error, status),
    requestId: req.id,
    lang: (req.header('accept-language') ?? '').split(/[,;-]/, 1)[0]?.trim().toLowerCase() ?? '',
  }
  const templates = req.services.find(TEMPLATES)
  const name = [`errors/${status}`, 'errors/error'].find((candidate) => templates?.has(candidate))
  if (templates === undefined || name === undefined) return plainPage(data)
  try {
    const tags = req.services.find(PAGE_TAGS)?.(req)
    req.trace?.recording?.templates.push({ name, data })
    return html(templates.render(name, data, tags), { status })
  } catch (failure) {
    log.error(`the template ${name} failed (${namesOf(req)})`, failure)
    return plainPage(data)
  }
}

function plainPage({ status, reason, message, requestId }: ErrorPageData): Reply {
  const detail = message === '' ? '' : `<p>${escapeText(message)}</p>`
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${status} ${reason}</title><h1>${status} ${reason}</h1>${detail}<p><small>Request ${requestId}</small></p></html>\n`
  return html(page, { status })
}

/** Fields that an error brings along: Allow, Retry-After. */
function headersOf(error: unknown): readonly (readonly [string, string])[] {
  const { headers } = (error ?? {}) as { headers?: unknown }
  return statusOf(error) !== 500 && Array.isArray(headers) ? headers : []
}

/** It varies with Accept besides. */
function addField(reply: Reply, name: string, value: string): void {
  if (name.toLowerCase() !== 'vary') return void reply.header(name, value)
  for (const member of value.split(',')) {
    reply.headers = withVary(reply.headers ?? [], member.trim())
  }
}

function shownMessage(error: unknown, status: number): string {
  if (!(error instanceof HttpError) && status >= 500) return ''
  const message = error instanceof Error ? error.message : ''
  return message === reasonOf(status) ? '' : message
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
