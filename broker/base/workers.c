#include "workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct workers {
	pthread_mutex_t mutex;
	pthread_cond_t added;
	struct job *first, **end;
	unsigned idle, count;
	bool ending;
	pthread_t threads[];
};

static struct job *take(struct workers *workers)
{
	while (!workers->first && !workers->ending) {
		workers->idle++;
		pthread_cond_wait(&workers->added, &workers->mutex);
		workers->idle--;
	}
	struct job *job = workers->first;
	if (job && !(workers->first = job->next))
		workers->end = &workers->first;
	return job;
}

static void *work(void *argument)
{
	struct workers *workers = argument;
	struct job *job;
	pthread_mutex_lock(&workers->mutex);
	while ((job = take(workers))) {
		pthread_mutex_unlock(&workers->mutex);
		job->run(job);
		pthread_mutex_lock(&workers->mutex);
	}
	pthread_mutex_unlock(&workers->mutex);
	return NULL;
}

struct workers *workers_new(unsigned count)
{
	struct workers *workers = calloc(1, sizeof *workers + count * sizeof *workers->threads);
	if (!workers)
		return NULL;
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->added, NULL);
	workers->end = &workers->first;
	while (workers->count < count && pthread_create(&workers->threads[workers->count], NULL, work, workers) == 0)
		workers->count++;
	if (workers->count == count && count > 0)
		return workers;
	workers_free(workers);
	return NULL;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->ending = true;
	pthread_cond_broadcast(&workers->added);
	pthread_mutex_unlock(&workers->mutex);
	for (unsigned i = 0; i < workers->count; i++)
		pthread_join(workers->threads[i], NULL);
	pthread_cond_destroy(&workers->added);
	pthread_mutex_destroy(&workers->mutex);
	free(workers);
}

void workers_add(struct workers *workers, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&workers->mutex);
	*workers->end = job;
	workers->end = &job->next;
	bool wake = workers->idle > 0;
	pthread_mutex_unlock(&workers->mutex);
	if (wake)
		pthread_cond_signal(&workers->added);
}
