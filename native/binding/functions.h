// The functions that JavaScript sees, by their names there. Listed by addon.cc.
#pragma once

#include <napi.h>

namespace uwas::native {

/// mapFile(path: string): ArrayBuffer
Napi::Value map_file_binding(const Napi::CallbackInfo &info);

/// openBeneath(root: string, path: string): number
Napi::Value open_beneath_binding(const Napi::CallbackInfo &info);

#ifdef UWAS_GATE
/// listen(host: string, port: number, backlog: number, reusePort: boolean): { fd, port }
Napi::Value listen_binding(const Napi::CallbackInfo &info);

/// listenPath(path: string, mode: number, backlog: number): number, a descriptor
Napi::Value listen_path_binding(const Napi::CallbackInfo &info);

/// socketKind(fd: number): 'tcp', 'unix', 'deaf' or 'none'
Napi::Value socket_kind_binding(const Napi::CallbackInfo &info);

/// peerOf(fd: number): "address port", or empty
Napi::Value peer_of_binding(const Napi::CallbackInfo &info);

/// boundUnsent(fd: number): void
Napi::Value bound_unsent_binding(const Napi::CallbackInfo &info);

/// endWithParent(parent: number, seconds: number): boolean
Napi::Value end_with_parent_binding(const Napi::CallbackInfo &info);

/// pinToCore(index: number): number of the core, or -1
Napi::Value pin_to_core_binding(const Napi::CallbackInfo &info);

/// judge(bytes: Uint8Array, maxHeadBytes: number): [lane, line]
Napi::Value judge_binding(const Napi::CallbackInfo &info);

/// notify(path: string, state: string): number, an errno or 0
Napi::Value notify_binding(const Napi::CallbackInfo &info);

/// createShared(bytes: number): number, a descriptor
Napi::Value create_shared_binding(const Napi::CallbackInfo &info);

/// mapShared(fd: number, offset: number, bytes: number): ArrayBuffer
Napi::Value map_shared_binding(const Napi::CallbackInfo &info);

/// countConnections(memory: number, offset: number, row: number, options): counts
Napi::Value count_connections_binding(const Napi::CallbackInfo &info);

/// clearConnections(memory: number, offset: number, row: number): void
Napi::Value clear_connections_binding(const Napi::CallbackInfo &info);

/// admitConnection(counts, fd: number): number of the admission
Napi::Value admit_connection_binding(const Napi::CallbackInfo &info);

/// moveConnection(counts, fd: number, client: string): number of the admission
Napi::Value move_connection_binding(const Napi::CallbackInfo &info);

/// sweepConnections(counts): [open, refusedTotal, refusedAddress, lastRefused]
Napi::Value sweep_connections_binding(const Napi::CallbackInfo &info);

/// accept(fd: number, maxHeadBytes: number, onConnections, counts?): { stop, close, waiting }
Napi::Value accept_binding(const Napi::CallbackInfo &info);
#endif

} // namespace uwas::native
