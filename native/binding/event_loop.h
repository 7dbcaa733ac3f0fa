// The seven functions of libuv that the gate needs. Node exports them and names them stable within
// a major version of libuv (https://docs.libuv.org/en/v1.x/ , "ABI/API stability"), but their
// header is part of no npm package, and nothing is downloaded to compile. Handles are opaque here:
// their size is asked for, never assumed.
#pragma once

#include <cstddef>
#include <node_api.h>

extern "C" {
struct uv_handle_s;
struct uv_poll_s;

using UvClose = void (*)(uv_handle_s *handle);
using UvPoll = void (*)(uv_poll_s *handle, int status, int events);

NAPI_EXTERN std::size_t uv_handle_size(int type);
NAPI_EXTERN int uv_poll_init(uv_loop_s *loop, uv_poll_s *handle, int fd);
NAPI_EXTERN int uv_poll_start(uv_poll_s *handle, int events, UvPoll callback);
NAPI_EXTERN int uv_poll_stop(uv_poll_s *handle);
NAPI_EXTERN void uv_close(uv_handle_s *handle, UvClose callback);
NAPI_EXTERN void uv_handle_set_data(uv_handle_s *handle, void *data);
NAPI_EXTERN void *uv_handle_get_data(const uv_handle_s *handle);
}

namespace uwas::native {

/// UV_POLL of `uv_handle_type`, UV_READABLE of `uv_poll_event`.
constexpr int uv_type_poll = 8;
constexpr int uv_readable = 1;

} // namespace uwas::native
