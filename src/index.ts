/** The public surface of uwas: what a site imports from 'uwas'. Named re-exports, nothing else. */
export { z } from 'zod'
export { type App, type AppOptions, type Backends, createApp, openBackends } from './app.ts'
export {
  CACHE,
  Cache,
  cache,
  type Making,
  type RememberOptions,
  type SetOptions,
} from './cache/cache.ts'
export { type CodedError, ERRORS, type ErrorCode, isCodedError } from './core/errors.ts'
export { createLog, type Log } from './core/log.ts'
export { type ServiceKey, Services } from './core/services.ts'
export type { Span, Step, Trace } from './core/trace.ts'
export { type FileOptions, type FileReply, file } from './files/send-file.ts'
export { type ConditionOptions, condition } from './http/condition.ts'
export type { CookieOptions } from './http/cookie.ts'
export {
  EventQueue,
  type EventsOptions,
  events,
  lastEventId,
  type ServerEvent,
} from './http/events.ts'
export type { Client, TrustedProxiesOptions } from './http/forwarded.ts'
export type { HeaderList } from './http/headers.ts'
export { HttpError, invalid, notFound } from './http/http-error.ts'
export type { ProblemPlace } from './http/problem.ts'
export {
  bytes,
  empty,
  html,
  type JsonInit,
  json,
  Reply,
  type ReplyBody,
  type ReplyInit,
  redirect,
  stream,
  text,
} from './http/reply.ts'
export { type Personal, Request } from './http/request.ts'
export { type ProtectedCookieOptions, setSignedCookie, signedCookie } from './http/signed-cookie.ts'
export { isSigned, requireSigned, signUrl } from './http/signed-url.ts'
export type { Socket, SocketHandlers, SocketMessage, SocketOptions } from './http/socket.ts'
export type { Middleware, View, ViewResult } from './http/view.ts'
export { advisoryLock, tryAdvisoryLock } from './model/advisory-lock.ts'
export { type AtomicOptions, atomic } from './model/atomic.ts'
export type { StreamOptions } from './model/cursor.ts'
export { DATABASE, type Database } from './model/database.ts'
export { constraintOf, sqlStateOf } from './model/failures.ts'
export type { NotificationOptions } from './model/listen.ts'
export { notify } from './model/notify.ts'
export { type Outside, outside } from './model/outside.ts'
export { type Queryable, type Statement, statement } from './model/statement.ts'
export {
  type Changes,
  type Column,
  type ColumnOptions,
  column,
  type Insert,
  type Row,
} from './model/table/columns.ts'
export type { LockOptions } from './model/table/locks.ts'
export type { ListOptions, Order, Page } from './model/table/pages.ts'
export { belongsTo, hasMany, preload, type Relation } from './model/table/relations.ts'
export { type Table, type TableOptions, table, type UpsertOptions } from './model/table/table.ts'
export type { Transaction } from './model/transaction.ts'
export * as pg from './model/types.ts'
export type { AccessLogOptions, AccessLogSample } from './observe/access/options.ts'
export {
  type Counter,
  counter,
  type Gauge,
  type GaugeOptions,
  gauge,
  type Histogram,
  type HistogramOptions,
  histogram,
  type LabelValues,
  type MetricOptions,
} from './observe/metrics/site-metrics.ts'
export { type RecordedTrace, recentTraces } from './observe/trace-log.ts'
export type { TracingOptions } from './observe/tracing/options.ts'
export {
  type SpanInfo,
  type SpanOptions,
  span,
  traceHeaders,
} from './observe/tracing/span.ts'
export type { CachedOptions, CachedVary } from './route/cached.ts'
export { BUILT_IN_CONVERTERS, type Converter } from './route/converters.ts'
export type {
  IncludeEntry,
  Method,
  MethodViews,
  Reverse,
  RouteEntry,
  UrlConf,
} from './route/entry.ts'
export type { Route } from './route/flatten.ts'
export { host } from './route/host.ts'
export { type SocketRouteOptions, socket } from './route/socket.ts'
export { include, path, urlconf } from './route/urlconf.ts'
export { type ListenOptions, listen, type Server } from './server/server.ts'
export { type CertificateKeeper, keepCertificates } from './server/tls/acme/keep-certificates.ts'
export { openTls } from './server/tls/open-tls.ts'
export { type CompileOptions, compile } from './template/compile.ts'
export type { TemplateErrors } from './template/errors.ts'
export { escapeHtml } from './template/escape.ts'
export type { Render } from './template/program.ts'
export { type SafeHtml, safeHtml } from './template/safe-html.ts'
export type { Templates } from './template/templates.ts'
export { type Attribute, type Attributes, type Factory, factory } from './testing/factory.ts'
export { loadFixtures } from './testing/fixtures.ts'
export {
  createTestClient,
  type TestClient,
  type TestClientOptions,
  type TestReply,
  type TestRequest,
} from './testing/test-client.ts'
export { absoluteUrl } from './was/absolute-url.ts'
export { ACCOUNTS, type Accounts } from './was/accounts/accounts.ts'
export { user } from './was/accounts/current-user.ts'
export { findUser } from './was/accounts/find.ts'
export {
  changePassword,
  logIn,
  logInAs,
  logOut,
  logOutEverywhere,
  type PasswordChangeProblem,
  setUserActive,
} from './was/accounts/log-in.ts'
export { describeNameProblem, type NameProblem } from './was/accounts/names.ts'
export { safeNext } from './was/accounts/next.ts'
export { describePasswordProblem, type PasswordProblem } from './was/accounts/password-rules.ts'
export { createPasswords, type PasswordOptions, type Passwords } from './was/accounts/passwords.ts'
export { authorize, requirePermission, requireUser, withUser } from './was/accounts/require.ts'
export { type SetPasswordProblem, setPassword } from './was/accounts/set-password.ts'
export { type NewUser, type SignUpResult, signUp } from './was/accounts/sign-up.ts'
export {
  addToGroup,
  createToken,
  removeFromGroup,
  revokeToken,
  type TokenInfo,
  type TokenOptions,
  tokensOf,
} from './was/accounts/tokens.ts'
export { can, type Policy, type User } from './was/accounts/user.ts'
export type { AcmeOptions, ExternalAccountOptions } from './was/acme.ts'
export { type CachePolicy, cacheControl, vary } from './was/caching.ts'
export { defineConfig, parseConfig, type SiteConfig, type UserConfig } from './was/config.ts'
export { currentRequest } from './was/context.ts'
export { cspNonce } from './was/csp.ts'
export { csrfField, csrfToken } from './was/csrf/csrf.ts'
export { type FlashMessage, flash, messages } from './was/flash.ts'
export {
  type Form,
  type FormContextOptions,
  form,
  type InvalidSubmission,
  type Submission,
  type ValidSubmission,
} from './was/forms/form.ts'
export type {
  ChoiceContext,
  FieldContext,
  FormContext,
  ProblemContext,
} from './was/forms/form-context.ts'
export type { FieldOptions, FormOptions, FormWords, Widget } from './was/forms/options.ts'
export type { FormProblem } from './was/forms/problems.ts'
export { type UploadRule, upload } from './was/forms/upload-schema.ts'
export type { HealthCheck, HealthContext, HealthOptions } from './was/health/options.ts'
export { type LimitCounts, limitCounts } from './was/limits/counts.ts'
export type { LimitKey, LimitKeyFunction } from './was/limits/keys.ts'
export { type Limit, type LimitOptions, limit } from './was/limits/limit.ts'
export { type FetchHandler, type MountOptions, mount, webRequest } from './was/mount.ts'
export {
  fetchOutside,
  type OutsideOptions,
  type OutsideReply,
} from './was/outside/fetch-outside.ts'
export { render } from './was/render.ts'
export { ROOMS, Rooms, rooms } from './was/rooms.ts'
export { defineSession, SESSIONS, type Sessions, session } from './was/session/open.ts'
export {
  revokeSession,
  revokeSessions,
  type SessionInfo,
  sessionsOf,
} from './was/session/revoke.ts'
export { Session } from './was/session/session.ts'
export { defineSettings, type Settings } from './was/settings.ts'
export { staticUrl } from './was/static-url.ts'
export type { CertificateOptions, HstsOptions, TlsOptions } from './was/tls.ts'
export { type MultipartForm, multipart, type Upload } from './was/upload/multipart.ts'
export {
  type FieldPart,
  type FilePart,
  type MultipartLimits,
  type Part,
  parts,
} from './was/upload/parts.ts'
export {
  type SchemaIssue,
  type SchemaResult,
  type StandardSchema,
  validJson,
  validParams,
  validQuery,
} from './was/valid.ts'
export {
  type DetailViewOptions,
  detailView,
  type FormViewOptions,
  formView,
  type ListViewOptions,
  listView,
} from './was/views/generic.ts'
export {
  type PageLinks,
  type PageRange,
  pageLinks,
  pageRange,
  queryWith,
} from './was/views/page-links.ts'
export type { WorkersOptions } from './was/workers.ts'
