// A list behind a lock, and a few jobs in the pool at once, so that cells never keep signatures of requests waiting.
#include "pushes.h"

#include <sodium.h>
#include <stdlib.h>

#include "broker/base/clock.h"

enum { JOBS = 2 }; // of the pool's four threads

struct job {
	struct pushes *pushes;
	struct push_batch *batch; // NULL: idle
	uint8_t *frame;
	size_t frame_bytes;
	uv_work_t work;
};

struct pushes {
	uv_loop_t *loop;
	struct links *links;
	struct sign_pair identity;
	uv_async_t wake;
	uv_mutex_t mutex; // guards what follows
	struct push_batch *first, **end;
	bool closed;

	struct job jobs[JOBS]; // the loop's
};

static struct push_batch *take(struct pushes *pushes)
{
	uv_mutex_lock(&pushes->mutex);
	struct push_batch *batch = pushes->first;
	if (batch)
		pushes->first = batch->next;
	uv_mutex_unlock(&pushes->mutex);
	return batch;
}

// In the pool.
static void seal(uv_work_t *work)
{
	struct job *job = work->data;
	push_frame(job->batch, &job->pushes->identity, clock_now_ms(), &job->frame, &job->frame_bytes);
}

static void start_jobs(struct pushes *pushes);

static void sealed(uv_work_t *work, int status)
{
	struct job *job = work->data;
	struct push_batch *batch = job->batch;
	(void)status;
	job->batch = NULL;
	links_push(job->pushes->links, batch->guardian, job->frame, job->frame_bytes);
	push_batch_free(batch);
	start_jobs(job->pushes);
}

static void start_jobs(struct pushes *pushes)
{
	for (int i = 0; i < JOBS; i++) {
		struct job *job = &pushes->jobs[i];
		if (job->batch || !(job->batch = take(pushes)))
			continue;
		job->pushes = pushes;
		job->work.data = job;
		uv_queue_work(pushes->loop, &job->work, seal, sealed);
	}
}

static void on_wake(uv_async_t *wake)
{
	start_jobs(wake->data);
}

struct pushes *pushes_new(uv_loop_t *loop, struct links *links, const struct sign_pair *identity)
{
	struct pushes *pushes = calloc(1, sizeof(*pushes));
	if (!pushes)
		abort();
	pushes->loop = loop;
	pushes->links = links;
	pushes->identity = *identity;
	pushes->end = &pushes->first;
	uv_mutex_init(&pushes->mutex);
	uv_async_init(loop, &pushes->wake, on_wake);
	pushes->wake.data = pushes;
	return pushes;
}

void pushes_add(struct pushes *pushes, struct push_batch *batch)
{
	uv_mutex_lock(&pushes->mutex);
	bool closed = pushes->closed;
	if (!closed) {
		if (!pushes->first)
			pushes->end = &pushes->first;
		batch->next = NULL;
		*pushes->end = batch;
		pushes->end = &batch->next;
		uv_async_send(&pushes->wake);
	}
	uv_mutex_unlock(&pushes->mutex);
	if (closed)
		push_batch_free(batch);
}

void pushes_close(struct pushes *pushes)
{
	struct push_batch *batch;
	uv_mutex_lock(&pushes->mutex);
	bool closed = pushes->closed;
	pushes->closed = true;
	uv_mutex_unlock(&pushes->mutex);
	while ((batch = take(pushes)))
		push_batch_free(batch);
	if (!closed)
		uv_close((uv_handle_t *)&pushes->wake, NULL);
}

void pushes_free(struct pushes *pushes)
{
	uv_mutex_destroy(&pushes->mutex);
	sodium_memzero(&pushes->identity, sizeof(pushes->identity));
	free(pushes);
}
