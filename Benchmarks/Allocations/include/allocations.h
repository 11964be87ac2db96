#pragma once

/// Allocations of this thread so far: calls of malloc, calloc, aligned allocations, and calls of
/// realloc, whether or not the block moved.
long allocations_of_thread(void);
