#ifndef CLINUX_H
#define CLINUX_H

// What Swift cannot reach by itself on Linux: fork, variadic calls, macros. One concern per pair of files.

#include "linux_client.h"
#include "linux_files.h"
#include "linux_heap.h"
#include "linux_memory.h"
#include "linux_process.h"
#include "linux_signals.h"
#include "linux_sockets.h"
#include "linux_spawn.h"

#endif
