// The meanings of the errors, and the only place where errno values are read.
#include "error.h"

#include <cerrno>

namespace uwas::native {

const char *describe(Error error) {
  switch (error) {
  case Error::none:
    return "no error";
  case Error::not_found:
    return "there is no such file";
  case Error::denied:
    return "permission denied";
  case Error::outside:
    return "the path leads out of the root";
  case Error::not_regular:
    return "not a file of a kind that can be used here";
  case Error::link_loop:
    return "too many symbolic links, or one that must not be followed";
  case Error::bad_path:
    return "not a path that can name a file";
  case Error::bad_root:
    return "the root is not a folder that can be opened";
  case Error::too_large:
    return "the file is too large to be mapped";
  case Error::changed:
    return "the path kept changing while it was resolved";
  case Error::limit:
    return "no more open files, mappings or memory";
  case Error::listen:
    return "the address cannot be listened on";
  case Error::io:
    return "the system refused";
  }
  return "unknown error";
}

Failure failure_of(int system) {
  switch (system) {
  case ENOENT:
  case ENOTDIR:
    return {Error::not_found, system};
  case EACCES:
  case EPERM:
    return {Error::denied, system};
  case EXDEV:
    return {Error::outside, system};
  case ENXIO: // a socket, or a device that is not there
    return {Error::not_regular, system};
  case ELOOP:
    return {Error::link_loop, system};
  case ENAMETOOLONG:
    return {Error::bad_path, system};
  case EAGAIN:
    return {Error::changed, system};
  case EMFILE:
  case ENFILE:
  case ENOMEM:
    return {Error::limit, system};
  default:
    return {Error::io, system};
  }
}

} // namespace uwas::native
