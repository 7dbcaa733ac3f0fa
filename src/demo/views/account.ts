/** The door: signing up, logging in and out. */
import {
  type FormContext,
  formView,
  invalid,
  logIn,
  logInAs,
  logOut,
  type Reply,
  type Request,
  redirect,
  type SignUpResult,
  safeNext,
  signUp,
} from 'uwas'
import { doorForm } from '../forms/forms.ts'
import type { Dictionary } from '../i18n/dictionary.ts'
import { speakerOf } from '../i18n/language.ts'
import { joinBoard } from '../models/members.ts'
import { page } from '../page.ts'
import { url } from '../urls.ts'

type Door = 'log-in' | 'sign-up'

export const logInView = formView({
  form: doorForm,
  show: (req, form, status) => showDoor(req, 'log-in', form, status),
  async save(req, { name, password }): Promise<Reply> {
    const member = await logIn(req, name, password)
    if (member === undefined) throw invalid({ password: speakerOf(req).t.account.wrong })
    // Somebody made by `uwas createuser` has no points before this.
    await joinBoard.run(req, { userId: member.id })
    return redirect(nextOf(req) ?? url('list'))
  },
})

export const signUpView = formView({
  form: doorForm,
  show: (req, form, status) => showDoor(req, 'sign-up', form, status),
  async save(req, { name, password }): Promise<Reply> {
    const made = await signUp(req, { name, password })
    if (made.user === undefined) throw invalid(describeProblems(speakerOf(req).t, made.problems))
    await joinBoard.run(req, { userId: made.user.id })
    await logInAs(req, made.user)
    return redirect(nextOf(req) ?? url('list'))
  },
})

export async function logOutOf(req: Request): Promise<Reply> {
  await logOut(req)
  return redirect(url('list'))
}

function nextOf(req: Request): string | undefined {
  return safeNext(req.query.get('next'))
}

function showDoor(req: Request, door: Door, form: FormContext, status: number): Promise<Reply> {
  const { account } = speakerOf(req).t
  const isNew = door === 'sign-up'
  const next = nextOf(req)
  const query = next === undefined ? '' : `?${new URLSearchParams({ next })}`
  const heading = isNew ? account.signUp : account.logIn
  const data = {
    title: form.summary === '' ? heading : `${form.summary} – ${heading}`,
    heading,
    lede: isNew ? account.signUpLede : account.logInLede,
    form: { ...form, action: url(door) + query, submit: heading },
    door: {
      href: url(isNew ? 'log-in' : 'sign-up') + query,
      text: isNew ? account.toLogIn : account.toSignUp,
    },
  }
  return page(req, 'account/door', data, status)
}

function describeProblems(
  { account, errors }: Dictionary,
  { name, password }: Extract<SignUpResult, { user: undefined }>['problems'],
): Record<string, string> {
  const names = {
    taken: account.taken,
    empty: errors.name.empty,
    long: account.nameCharacters,
    characters: account.nameCharacters,
    scripts: account.nameScripts,
  }
  const passwords = {
    short: account.passwordShort,
    long: account.passwordLong,
    characters: account.passwordCharacters,
    common: account.passwordCommon,
    name: account.passwordName,
  }
  return {
    ...(name === undefined ? {} : { name: names[name.kind] }),
    ...(password === undefined ? {} : { password: passwords[password.kind] }),
  }
}
