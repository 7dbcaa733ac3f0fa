// The one table from the core's errors to uwas's error codes (src/core/errors.ts has their words).
#include "errors.h"

namespace uwas::native {

namespace {

const char *code_of(Error error) {
  switch (error) {
  case Error::not_found:
    return "UWAS_ERR_NATIVE_NOT_FOUND";
  case Error::denied:
    return "UWAS_ERR_NATIVE_DENIED";
  case Error::outside:
    return "UWAS_ERR_NATIVE_OUTSIDE";
  case Error::not_regular:
    return "UWAS_ERR_NATIVE_NOT_REGULAR";
  case Error::link_loop:
    return "UWAS_ERR_NATIVE_LINK_LOOP";
  case Error::bad_path:
    return "UWAS_ERR_NATIVE_PATH";
  case Error::bad_root:
    return "UWAS_ERR_NATIVE_ROOT";
  case Error::too_large:
    return "UWAS_ERR_NATIVE_TOO_LARGE";
  case Error::changed:
    return "UWAS_ERR_NATIVE_CHANGED";
  case Error::limit:
    return "UWAS_ERR_NATIVE_LIMIT";
  case Error::listen:
    return "UWAS_ERR_NATIVE_LISTEN";
  case Error::none:
  case Error::io:
    break;
  }
  return "UWAS_ERR_NATIVE_IO";
}

} // namespace

void throw_failure(Napi::Env env, Failure failure) {
  const Napi::Error error = Napi::Error::New(env, describe(failure.error));
  error.Set("code", code_of(failure.error));
  error.Set("errno", Napi::Number::New(env, failure.system));
  error.ThrowAsJavaScriptException();
}

bool check_strings(const Napi::CallbackInfo &info, std::size_t count) {
  bool good = info.Length() >= count;
  for (std::size_t i = 0; good && i < count; i++)
    good = info[i].IsString();
  if (!good) {
    const Napi::TypeError error = Napi::TypeError::New(info.Env(), "expected strings");
    error.Set("code", "UWAS_ERR_NATIVE_ARGUMENT");
    error.ThrowAsJavaScriptException();
  }
  return good;
}

} // namespace uwas::native
