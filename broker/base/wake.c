#include "wake.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void wake_init(struct wake *wake)
{
	wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake->fd < 0)
		abort();
	atomic_init(&wake->sent, false);
}

void wake_fini(struct wake *wake)
{
	close(wake->fd);
	wake->fd = -1;
}

void wake_send(struct wake *wake)
{
	uint64_t one = 1;
	if (!atomic_exchange(&wake->sent, true) && write(wake->fd, &one, sizeof one) != sizeof one)
		abort(); // an eventfd takes a one unless 2^64 - 2 are in it
}

// `sent` falls only after the descriptor is empty: a wake in between leaves both set, and the loop comes again.
void wake_clear(struct wake *wake)
{
	uint64_t count;
	if (read(wake->fd, &count, sizeof count) != sizeof count)
		return; // nothing was sent
	atomic_store(&wake->sent, false);
}
