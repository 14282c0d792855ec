// Wakes an event loop from other threads through a file descriptor that the loop polls. In place of libuv 1.44's
// uv_async: its receiver spins while a sender that it has woken is not yet back from writing, up to 50 us at each wake
// on machines with few processors.
#ifndef OYEZ_BASE_WAKE_H
#define OYEZ_BASE_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>

struct wake {
	int fd; // readable when woken
	atomic_bool sent;
};

// Ends the process where no descriptor is left: nothing runs without it.
void wake_init(struct wake *wake);
void wake_fini(struct wake *wake);
// From any thread, after what is to be seen was put where the loop looks. Many before one clearing are one.
void wake_send(struct wake *wake);
// On the loop, before it looks.
void wake_clear(struct wake *wake);

#endif
