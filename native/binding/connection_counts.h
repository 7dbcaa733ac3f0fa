// How JavaScript holds counts of connections: an external value, shared with the gates that ask
// them.
#pragma once

#include "../core/connection_counts.h"

#include <memory>
#include <napi.h>

namespace uwas::native {

using SharedCounts = std::shared_ptr<ConnectionCounts>;

/// Of what countConnections has returned.
SharedCounts counts_of(const Napi::Value &value);

} // namespace uwas::native
