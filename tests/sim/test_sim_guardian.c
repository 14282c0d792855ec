// The guardian's side of a broker under a seeded simulator: wallets open accounts, ask for vouchers, open, read and close
// boxes; homes push cells; records come again and late, commits are refused, the machine crashes, days pass. After every
// command a dumb model in plain arrays says what the answer has to be. It shares no code with service/guardian*.c.
//
//   test_sim_guardian                       the default run
//   OYEZ_SIM_SEED=7 test_sim_guardian       one seed again, every step told
#include <stdio.h>
#include <stdlib.h>

#include "broker/service/service.h"
#include "broker/service/wire.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SEEDS = 20 };
#else
enum { SEEDS = 100 };
#endif
enum { STEPS = 1500, ACCOUNTS = 5, HOMES = 2, BOXES = 40, ASKED = 400, CELLS = 4096, VOUCHERS_A_DAY = 3 };

struct sim_box {
	struct id id;
	int account, home;
	uint64_t keep_ms;
	bool open;
	uint64_t cells[CELLS]; // contents of all that were ever kept, by number - 1
	uint64_t first, next;  // numbers: kept are first to next - 1
	uint64_t latest;       // content
};

struct sim_voucher {
	uint8_t id[VOUCHER_ID_BYTES];
	int account, home;
	uint32_t epoch;
	uint64_t day; // given on; 0: never
};

struct sim {
	uint64_t seed, random, now_ms, origins;
	int step;
	bool verbose;
	struct arena arena; // for a step
	struct store *store;
	struct service *service;
	struct service_config config;
	uint8_t keys[ACCOUNTS][KEY_BYTES], homes[HOMES + 1][KEY_BYTES];
	bool opened[ACCOUNTS];
	char invite[64]; // one not used yet; empty: none
	struct sim_box boxes[BOXES];
	int box_count, voucher_count;
	struct sim_voucher vouchers[ASKED];
	uint64_t contents;
	enum err refused; // this step's commit is
	unsigned long long commands, answers, cells_read, repeats, crashes, failures, forgotten;
};

#define FAIL(sim, ...)                                                                                                 \
	do {                                                                                                               \
		printf("FAILED at step %d: ", (sim)->step);                                                                    \
		printf(__VA_ARGS__);                                                                                           \
		printf("\nreplay: OYEZ_SIM_SEED=%llu test_sim_guardian\n", (unsigned long long)(sim)->seed);                   \
		exit(1);                                                                                                       \
	} while (0)

static uint32_t below(struct sim *sim, uint32_t n)
{
	sim->random = sim->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((sim->random >> 33) % n);
}

static void random_bytes(struct sim *sim, uint8_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)below(sim, 256);
}

// ---- the broker

static void stub_sign(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
                      uint8_t signature[SIGNATURE_BYTES])
{
	(void)context, (void)tag, (void)record, (void)record_bytes;
	memset(signature, 's', SIGNATURE_BYTES);
}

static void broker_start(struct sim *sim)
{
	struct service_signer signer = {.sign = stub_sign};
	memset(signer.broker_key, 'B', KEY_BYTES);
	if (service_new(&sim->config, &signer, sim->store, sim->now_ms, &sim->service))
		FAIL(sim, "the service does not start");
}

static void crash(struct sim *sim)
{
	sim->crashes++;
	service_free(sim->service);
	store_crash(sim->store);
	broker_start(sim);
}

static uint64_t day_of(const struct sim *sim)
{
	return sim->now_ms / DAY_MS;
}

static void pass_time(struct sim *sim)
{
	static const uint8_t random[16];
	for (uint32_t steps = below(sim, 60) == 0 ? 24 : 1; steps > 0; steps--) {
		sim->now_ms += below(sim, 20 * MINUTE_MS);
		service_begin(sim->service, sim->now_ms);
		service_advance(sim->service, random);
		if (service_commit(sim->service))
			FAIL(sim, "an empty batch was refused");
	}
	for (int i = 0; i < sim->box_count; i++) {
		struct sim_box *box = &sim->boxes[i];
		sim->forgotten += box->open && box->keep_ms <= sim->now_ms;
		box->open = box->open && box->keep_ms > sim->now_ms;
	}
}

// One command in a batch of its own. The reply; its error in *err. NULL: the broker crashed before the commit.
static const void *send(struct sim *sim, struct command *command, const ProtobufCMessageDescriptor *form, enum err *err)
{
	struct effect effect;
	uint32_t dice = below(sim, 100);
	command->now_ms = sim->now_ms;
	command->origin = ++sim->origins;
	random_bytes(sim, command->random, sizeof command->random);
	sim->commands++;
	sim->refused = dice == 0 ? ERR_STORAGE_FULL : ERR_OK;
	service_begin(sim->service, sim->now_ms);
	service_apply(sim->service, command);
	if (dice == 1) {
		crash(sim);
		return NULL;
	}
	store_fail_commits(sim->store, sim->refused);
	enum err committed = service_commit(sim->service);
	store_fail_commits(sim->store, ERR_OK);
	if (committed) {
		sim->failures++;
		return NULL;
	}
	const void *reply = NULL;
	while (service_effect_next(sim->service, &effect))
		if (effect.origin == command->origin)
			reply = wire_unpack(&sim->arena, form, effect.bytes, effect.count);
	if (!reply)
		FAIL(sim, "no reply to command %d", command->kind);
	sim->answers++;
	// The error stands at the same place in all forms.
	const Oyez__Reply *plain = reply;
	*err = plain->body_case == OYEZ__REPLY__BODY_ERROR ? (enum err)plain->error->code : ERR_OK;
	if (dice == 2)
		crash(sim); // after it was acknowledged
	return reply;
}

static const Oyez__GuardianReply *by_account(struct sim *sim, int account, enum command_kind kind, const void *payload,
                                             bool late, enum err *err)
{
	struct command command = {.kind = kind, .payload = payload, .made_at_ms = sim->now_ms - (late ? HOUR_MS : 0)};
	memcpy(command.sender_key, sim->keys[account], KEY_BYTES);
	command.sender = id_of(TAG_ACCOUNT_ID, command.sender_key, KEY_BYTES);
	if (sim->verbose)
		printf("step %d: account %d command %d%s\n", sim->step, account, kind, late ? " (late)" : "");
	return send(sim, &command, &oyez__guardian_reply__descriptor, err);
}

static void expect(struct sim *sim, const char *what, enum err found, enum err expected)
{
	if (found != expected)
		FAIL(sim, "%s: %s instead of %s", what, err_name(found), err_name(expected));
}

// ---- accounts and vouchers

static void make_invite(struct sim *sim)
{
	Oyez__AdminInvite invite = OYEZ__ADMIN_INVITE__INIT;
	struct command command = {.kind = COMMAND_ADMIN_INVITE, .payload = &invite.base};
	enum err err;
	invite.valid_ms = EXPIRES_MS_MAX;
	const Oyez__AdminReply *reply = send(sim, &command, &oyez__admin_reply__descriptor, &err);
	if (reply)
		snprintf(sim->invite, sizeof sim->invite, "%s", reply->invites->codes[0]);
}

static void open_account(struct sim *sim, int account)
{
	Oyez__OpenAccount message = OYEZ__OPEN_ACCOUNT__INIT;
	char code[64];
	enum err err;
	bool late = below(sim, 10) == 0, right = sim->invite[0] && below(sim, 4) > 0;
	if (!sim->invite[0])
		make_invite(sim);
	snprintf(code, sizeof code, "%s", right ? sim->invite : "aaaa-bbbb-cccc-dddd");
	message.invite = code;
	const Oyez__GuardianReply *reply = by_account(sim, account, COMMAND_OPEN_ACCOUNT, &message, late, &err);
	if (!reply)
		return;
	if (!sim->opened[account]) {
		expect(sim, "open", err, late ? ERR_STALE : right ? ERR_OK : ERR_INVITE_BAD);
		sim->opened[account] = !late && right;
		if (sim->opened[account])
			sim->invite[0] = 0;
	} else {
		expect(sim, "open again", err, ERR_OK);
	}
}

static uint32_t given_today(const struct sim *sim, int account)
{
	uint32_t count = 0;
	for (int i = 0; i < sim->voucher_count; i++)
		count += sim->vouchers[i].account == account && sim->vouchers[i].day == day_of(sim);
	return count;
}

static enum err voucher_expected(const struct sim *sim, const struct sim_voucher *known, int account, int home,
                                 uint32_t epoch, bool late)
{
	if (!sim->opened[account])
		return ERR_ACCOUNT_UNKNOWN;
	if (known->day == day_of(sim))
		return known->account == account && known->home == home && known->epoch == epoch ? ERR_OK : ERR_CONFLICT;
	if (late)
		return ERR_STALE;
	if (home == HOMES)
		return ERR_HOME_UNKNOWN;
	return given_today(sim, account) < VOUCHERS_A_DAY ? ERR_OK : ERR_VOUCHER_LIMIT;
}

static void ask_voucher(struct sim *sim, int account)
{
	Oyez__AskVoucher message = OYEZ__ASK_VOUCHER__INIT;
	int home = (int)below(sim, HOMES + 1), number = sim->voucher_count;
	uint32_t epoch = (uint32_t)(sim->now_ms / TOKEN_EPOCH_MS);
	bool late = below(sim, 10) == 0;
	enum err err;
	if (sim->voucher_count > 0 && (below(sim, 3) == 0 || sim->voucher_count == ASKED)) { // an id asked for before
		number = sim->voucher_count - 1 - (int)below(sim, sim->voucher_count < 4 ? (uint32_t)sim->voucher_count : 4);
		sim->repeats++;
		if (below(sim, 4) > 0) {
			home = sim->vouchers[number].home;
			account = sim->vouchers[number].account;
		}
	} else {
		struct sim_voucher *fresh = &sim->vouchers[sim->voucher_count++];
		*fresh = (struct sim_voucher){.account = account, .home = home, .epoch = epoch};
		random_bytes(sim, fresh->id, sizeof fresh->id);
	}
	struct sim_voucher *voucher = &sim->vouchers[number];
	message.voucher_id = wire_bytes(voucher->id, VOUCHER_ID_BYTES);
	message.home_id = wire_bytes(sim->homes[home], KEY_BYTES);
	message.epoch = epoch;
	enum err expected = voucher_expected(sim, voucher, account, home, epoch, late);
	const Oyez__GuardianReply *reply = by_account(sim, account, COMMAND_ASK_VOUCHER, &message, late, &err);
	if (!reply)
		return;
	expect(sim, "voucher", err, expected);
	if (err)
		return;
	voucher->account = account;
	voucher->home = home;
	voucher->epoch = epoch;
	voucher->day = day_of(sim);
}

static int boxes_of(const struct sim *sim, int account)
{
	int count = 0;
	for (int i = 0; i < sim->box_count; i++)
		count += sim->boxes[i].open && sim->boxes[i].account == account;
	return count;
}

static void show(struct sim *sim, int account)
{
	Oyez__ShowAccount message = OYEZ__SHOW_ACCOUNT__INIT;
	enum err err;
	const Oyez__GuardianReply *reply = by_account(sim, account, COMMAND_SHOW_ACCOUNT, &message, false, &err);
	if (!reply)
		return;
	expect(sim, "show", err, sim->opened[account] ? ERR_OK : ERR_ACCOUNT_UNKNOWN);
	if (err)
		return;
	if (reply->account->vouchers_left != VOUCHERS_A_DAY - given_today(sim, account))
		FAIL(sim, "%u vouchers left, %u given", reply->account->vouchers_left, given_today(sim, account));
	if (reply->account->boxes_open != (uint32_t)boxes_of(sim, account))
		FAIL(sim, "%u boxes open", reply->account->boxes_open);
}

// ---- boxes

static void open_box(struct sim *sim, int account)
{
	Oyez__OpenBox message = OYEZ__OPEN_BOX__INIT;
	enum err err;
	bool again = sim->box_count > 0 && (below(sim, 3) == 0 || sim->box_count == BOXES), late = below(sim, 10) == 0;
	struct sim_box *box = &sim->boxes[again ? (int)below(sim, (uint32_t)sim->box_count) : sim->box_count++];
	int home = (int)below(sim, HOMES + 1);
	uint64_t keep_ms = (day_of(sim) + 1 + below(sim, 4)) * DAY_MS;
	if (!again)
		random_bytes(sim, box->id.bytes, ID_BYTES);
	if (again && box->open && below(sim, 4) > 0) {
		account = box->account;
		home = box->home;
		keep_ms = box->keep_ms;
	}
	message.box_id = wire_id(&box->id);
	message.home_id = wire_bytes(sim->homes[home], KEY_BYTES);
	message.keep_until_ms = keep_ms;
	enum err expected = ERR_OK;
	if (!sim->opened[account])
		expected = ERR_ACCOUNT_UNKNOWN;
	else if (box->open)
		expected = account == box->account && home == box->home && keep_ms == box->keep_ms ? ERR_OK : ERR_CONFLICT;
	else
		expected = late ? ERR_STALE : home == HOMES ? ERR_HOME_UNKNOWN : ERR_OK;
	if (!by_account(sim, account, COMMAND_OPEN_BOX, &message, late, &err))
		return;
	expect(sim, "open box", err, expected);
	if (err || box->open)
		return;
	box->account = account;
	box->home = home;
	box->keep_ms = keep_ms;
	box->open = true;
	box->first = box->next = 1;
	box->latest = 0;
}

static struct sim_box *some_box(struct sim *sim)
{
	for (int tries = 0; tries < 10 && sim->box_count > 0; tries++) {
		struct sim_box *box = &sim->boxes[below(sim, (uint32_t)sim->box_count)];
		if (box->open || tries == 9)
			return box;
	}
	return NULL;
}

static void close_box(struct sim *sim)
{
	Oyez__CloseBox message = OYEZ__CLOSE_BOX__INIT;
	struct sim_box *box = some_box(sim);
	enum err err;
	if (!box)
		return;
	int account = below(sim, 4) == 0 ? (int)below(sim, ACCOUNTS) : box->account;
	message.box_id = wire_id(&box->id);
	enum err expected = !sim->opened[account]                     ? ERR_ACCOUNT_UNKNOWN
	                    : box->open && account == box->account ? ERR_OK
	                                                              : ERR_BOX_UNKNOWN;
	if (!by_account(sim, account, COMMAND_CLOSE_BOX, &message, below(sim, 2) == 0, &err))
		return;
	expect(sim, "close box", err, expected);
	if (!err)
		box->open = false;
}

static Oyez__BoxCell *make_cell(struct sim *sim, const struct sim_box *box, uint64_t content)
{
	Oyez__BoxCell *cell = arena_alloc(&sim->arena, sizeof *cell);
	uint8_t *bytes = arena_alloc(&sim->arena, BOX_CELL_BYTES);
	for (size_t i = 0; i < BOX_CELL_BYTES; i++)
		bytes[i] = (uint8_t)(content >> i % 8 * 8);
	oyez__box_cell__init(cell);
	cell->box_id = wire_id(&box->id);
	cell->cell = wire_bytes(bytes, BOX_CELL_BYTES);
	return cell;
}

static void push(struct sim *sim)
{
	Oyez__PushBatch batch = OYEZ__PUSH_BATCH__INIT;
	Oyez__BoxCell *cells[PUSH_CELLS_MAX];
	struct sim_box *boxes[PUSH_CELLS_MAX];
	uint64_t contents[PUSH_CELLS_MAX];
	struct command command = {.kind = COMMAND_PUSH, .payload = &batch.base, .made_at_ms = sim->now_ms};
	int home = (int)below(sim, HOMES * 8 + 1) / 8; // rarely one that is not known
	enum err err;
	batch.cells = cells;
	for (uint32_t count = 1 + below(sim, PUSH_CELLS_MAX); count > 0; count--) {
		struct sim_box *box = some_box(sim);
		if (!box)
			return;
		uint64_t content = box->latest && below(sim, 5) == 0 ? box->latest : ++sim->contents;
		boxes[batch.n_cells] = box;
		contents[batch.n_cells] = content;
		cells[batch.n_cells++] = make_cell(sim, box, content);
	}
	memcpy(command.sender_key, sim->homes[home], KEY_BYTES);
	if (!send(sim, &command, &oyez__reply__descriptor, &err))
		return;
	expect(sim, "push", err, home == HOMES ? ERR_HOME_UNKNOWN : ERR_OK);
	for (size_t i = 0; i < batch.n_cells && !err; i++) {
		struct sim_box *box = boxes[i];
		if (!box->open || box->home != home || box->latest == contents[i] || box->next > CELLS)
			continue;
		box->cells[box->next++ - 1] = box->latest = contents[i];
		if (box->next - box->first > BOX_CELLS_MAX)
			box->first++;
	}
}

static struct sim_box *box_by_id(struct sim *sim, ProtobufCBinaryData id)
{
	for (int i = 0; i < sim->box_count; i++)
		if (memcmp(sim->boxes[i].id.bytes, id.data, ID_BYTES) == 0)
			return &sim->boxes[i];
	FAIL(sim, "a cell of a box nobody opened");
}

static void check_cells(struct sim *sim, int account, const Oyez__BoxCells *cells)
{
	uint64_t kept = 0;
	int filled = 0;
	for (int i = 0; i < sim->box_count; i++) {
		const struct sim_box *box = &sim->boxes[i];
		if (!box->open || box->account != account)
			continue;
		kept += box->next - box->first;
		filled += box->next > box->first;
	}
	if (cells->n_items != (kept < BOX_READ_CELLS_MAX ? kept : BOX_READ_CELLS_MAX))
		FAIL(sim, "%zu cells read, %llu are kept", cells->n_items, (unsigned long long)kept);
	if ((bool)cells->more != (kept > cells->n_items))
		FAIL(sim, "more: %d", cells->more);
	for (size_t i = 0; i < cells->n_items; i++) {
		const struct sim_box *box = box_by_id(sim, cells->items[i]->box_id);
		bool second = i == 1 && box == box_by_id(sim, cells->items[0]->box_id);
		if (box->account != account || !box->open)
			FAIL(sim, "a cell of another account's box");
		if (second && filled > 1)
			FAIL(sim, "one box twice while others wait");
		uint64_t number = box->first + second;
		if (cells->items[i]->number != number)
			FAIL(sim, "cell %llu instead of %llu", (unsigned long long)cells->items[i]->number,
			     (unsigned long long)number);
		const uint8_t *expected = make_cell(sim, box, box->cells[number - 1])->cell.data;
		if (memcmp(cells->items[i]->cell.data, expected, BOX_CELL_BYTES) != 0)
			FAIL(sim, "another cell than was pushed");
		sim->cells_read++;
	}
}

static void read_boxes(struct sim *sim, int account)
{
	Oyez__ReadBoxes message = OYEZ__READ_BOXES__INIT;
	Oyez__BoxSeen seen[4], *list[4];
	struct sim_box *named[4];
	bool late = below(sim, 20) == 0;
	enum err err;
	message.seen = list;
	for (uint32_t count = below(sim, 4); count > 0; count--) {
		struct sim_box *box = named[message.n_seen] = some_box(sim);
		if (!box)
			break;
		oyez__box_seen__init(&seen[message.n_seen]);
		seen[message.n_seen].box_id = wire_id(&box->id);
		seen[message.n_seen].number = box->first + below(sim, 6) - (box->first > 0);
		list[message.n_seen] = &seen[message.n_seen];
		message.n_seen++;
	}
	const Oyez__GuardianReply *reply = by_account(sim, account, COMMAND_READ_BOXES, &message, late, &err);
	if (!reply)
		return;
	expect(sim, "read", err, !sim->opened[account] ? ERR_ACCOUNT_UNKNOWN : late ? ERR_STALE : ERR_OK);
	if (err)
		return;
	for (size_t i = 0; i < message.n_seen; i++) {
		struct sim_box *box = named[i];
		if (!box->open || box->account != account)
			continue;
		while (box->first < box->next && box->first <= seen[i].number)
			box->first++;
	}
	check_cells(sim, account, reply->cells);
}

// ---- the run

static void check_numbers(struct sim *sim)
{
	struct service_numbers numbers;
	uint64_t accounts = 0, boxes = 0, cells = 0;
	service_numbers(sim->service, &numbers);
	for (int i = 0; i < ACCOUNTS; i++)
		accounts += sim->opened[i];
	for (int i = 0; i < sim->box_count; i++) {
		boxes += sim->boxes[i].open;
		cells += sim->boxes[i].open ? sim->boxes[i].next - sim->boxes[i].first : 0;
	}
	if (numbers.accounts != accounts || numbers.boxes_kept != boxes || numbers.cells_kept != cells)
		FAIL(sim, "accounts %llu, boxes %llu, cells %llu", (unsigned long long)numbers.accounts,
		     (unsigned long long)numbers.boxes_kept, (unsigned long long)numbers.cells_kept);
}

static void step(struct sim *sim)
{
	int account = (int)below(sim, ACCOUNTS);
	uint32_t dice = below(sim, 100);
	arena_reset(&sim->arena);
	if (below(sim, 4) == 0)
		pass_time(sim);
	if (dice < 5)
		open_account(sim, account);
	else if (dice < 15)
		ask_voucher(sim, account);
	else if (dice < 20)
		show(sim, account);
	else if (dice < 28)
		open_box(sim, account);
	else if (dice < 30)
		close_box(sim);
	else if (dice < 80)
		push(sim);
	else
		read_boxes(sim, account);
	check_numbers(sim);
}

static void run(uint64_t seed, bool verbose, struct sim *total)
{
	struct sim *sim = calloc(1, sizeof *sim);
	if (!sim)
		abort();
	sim->seed = seed;
	sim->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	sim->verbose = verbose;
	sim->now_ms = UINT64_C(1800000000000);
	sim->config = (struct service_config){
	    .crowd = 1, .tick_ms = HOUR_MS, .retention_ms = DAY_MS, .parked_max = 4, .accounts_max = 100,
	    .vouchers_per_day = VOUCHERS_A_DAY, .region = "FR", .taxonomy = taxonomy_builtin(), .version = "sim",
	    .homes = (const uint8_t(*)[KEY_BYTES])sim->homes, .home_count = HOMES,
	};
	for (int i = 0; i < ACCOUNTS; i++)
		random_bytes(sim, sim->keys[i], KEY_BYTES);
	for (int i = 0; i <= HOMES; i++)
		random_bytes(sim, sim->homes[i], KEY_BYTES);
	arena_init(&sim->arena);
	sim->store = store_open_memory();
	broker_start(sim);
	for (sim->step = 0; sim->step < STEPS; sim->step++)
		step(sim);
	service_free(sim->service);
	store_close(sim->store);
	arena_fini(&sim->arena);
	total->commands += sim->commands;
	total->answers += sim->answers;
	total->cells_read += sim->cells_read;
	total->repeats += sim->repeats;
	total->crashes += sim->crashes;
	total->failures += sim->failures;
	total->forgotten += sim->forgotten;
	free(sim);
}

int main(void)
{
	static struct sim total;
	const char *seed = getenv("OYEZ_SIM_SEED"), *seeds = getenv("OYEZ_SIM_SEEDS");
	unsigned long long count = seeds ? strtoull(seeds, NULL, 10) : SEEDS;
	if (seed)
		run(strtoull(seed, NULL, 10), true, &total);
	for (unsigned long long i = 1; i <= count && !seed; i++)
		run(i, false, &total);
	printf("%llu commands, %llu answers, %llu cells read, %llu ids again, %llu crashes, %llu commits refused, "
	       "%llu boxes forgotten\n",
	       total.commands, total.answers, total.cells_read, total.repeats, total.crashes, total.failures,
	       total.forgotten);
	return 0;
}
