// How a failure of core/ becomes a JavaScript error. Called by every function of binding/.
#pragma once

#include "../core/error.h"

#include <napi.h>

namespace uwas::native {

/// Makes an exception pending: message and `code` from the one table, `errno` (0 where there is
/// none). src/native/addon.ts adds the path and makes the error that users see.
void throw_failure(Napi::Env env, Failure failure);

/// True when there are `count` arguments and all are strings; else a TypeError is pending.
bool check_strings(const Napi::CallbackInfo &info, std::size_t count);

} // namespace uwas::native
