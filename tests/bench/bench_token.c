// oyez-bench token: issuing and redeeming tokens, against the libsodium operations neither can do without, in turn on
// one thread. Operations of RFC 9497 §2.2.1 (ComputeCompositesFast), §3.3.2; an issue is of one voucher's elements.
#include <sodium.h>
#include <string.h>

#include "bench.h"
#include "figures.h"
#include "proto/sign.h"
#include "proto/token.h"

enum { ROUNDS_MAX = 99, TRANSCRIPT_BYTES = 256 };

struct tokens {
	struct token_key key;
	uint8_t broker[KEY_BYTES];
	struct token_request requests[VOUCHER_TOKENS];
	uint8_t blinded[VOUCHER_TOKENS][ELEMENT_BYTES], evaluated[VOUCHER_TOKENS][ELEMENT_BYTES], proof[PROOF_BYTES];
	uint8_t tokens[VOUCHER_TOKENS][TOKEN_BYTES];
	struct id intents[VOUCHER_TOKENS];
};

static void must(int failed, const char *what)
{
	if (failed)
		give_up("WRONG: %s", what);
}

static void prepare(struct tokens *tokens)
{
	struct sign_pair pair;
	voprf_key_new(&tokens->key.pair);
	tokens->key.redeem_until_ms = UINT64_MAX;
	randombytes_buf(tokens->broker, sizeof tokens->broker);
	for (size_t i = 0; i < VOUCHER_TOKENS; i++) {
		sign_pair_new(&pair);
		tokens->intents[i] = intent_id_of(pair.public_key);
		must(token_request_new(tokens->broker, tokens->key.pair.public_key, pair.public_key, &tokens->requests[i]),
		     "a token's request");
		memcpy(tokens->blinded[i], tokens->requests[i].blinded, ELEMENT_BYTES);
	}
}

static void issue(struct tokens *tokens)
{
	must(voprf_evaluate_batch(&tokens->key.pair, VOUCHER_TOKENS, (const uint8_t(*)[ELEMENT_BYTES])tokens->blinded,
	                          tokens->evaluated, tokens->proof),
	     "evaluating");
}

static void redeem(struct tokens *tokens)
{
	struct id intent;
	uint32_t epoch;
	for (size_t i = 0; i < VOUCHER_TOKENS; i++) {
		must(token_check(&tokens->key, 1, 0, tokens->broker, tokens->tokens[i], TOKEN_BYTES, &epoch, &intent),
		     "a token does not pass");
		must(!id_equal(&intent, &tokens->intents[i]), "a token names another intent");
	}
}

// ---- bare

static void hash_to_scalar(uint8_t scalar[32], const uint8_t *element)
{
	uint8_t wide[64], text[TRANSCRIPT_BYTES] = {0};
	memcpy(text, element, ELEMENT_BYTES);
	crypto_hash_sha512(wide, text, sizeof text); // expand_message_xmd hashes twice
	crypto_hash_sha512(wide, wide, sizeof wide);
	crypto_core_ristretto255_scalar_reduce(scalar, wide);
}

static void issue_bare(struct tokens *tokens)
{
	uint8_t scalar[32], product[ELEMENT_BYTES], sum[ELEMENT_BYTES], out[ELEMENT_BYTES], random[32];
	for (size_t i = 0; i < VOUCHER_TOKENS; i++) {
		must(crypto_scalarmult_ristretto255(out, tokens->key.pair.secret, tokens->blinded[i]), "multiplying");
		hash_to_scalar(scalar, out);
		must(crypto_scalarmult_ristretto255(product, scalar, tokens->blinded[i]), "multiplying");
		if (i == 0)
			memcpy(sum, product, sizeof sum);
		else
			must(crypto_core_ristretto255_add(sum, sum, product), "adding");
	}
	crypto_core_ristretto255_scalar_random(random);
	must(crypto_scalarmult_ristretto255(out, tokens->key.pair.secret, sum), "multiplying");
	must(crypto_scalarmult_ristretto255_base(out, random), "multiplying");
	must(crypto_scalarmult_ristretto255(out, random, sum), "multiplying");
	hash_to_scalar(scalar, out);
}

static void redeem_bare(struct tokens *tokens)
{
	uint8_t wide[64], element[ELEMENT_BYTES], out[ELEMENT_BYTES], text[TRANSCRIPT_BYTES] = {0};
	for (size_t i = 0; i < VOUCHER_TOKENS; i++) {
		memcpy(text, tokens->tokens[i], TOKEN_INPUT_BYTES);
		crypto_hash_sha512(wide, text, sizeof text);
		crypto_hash_sha512(wide, wide, sizeof wide);
		must(crypto_core_ristretto255_from_hash(element, wide), "hashing to the group");
		must(crypto_scalarmult_ristretto255(out, tokens->key.pair.secret, element), "multiplying");
		crypto_hash_sha512(wide, text, TOKEN_INPUT_BYTES + ELEMENT_BYTES);
	}
}

// Tokens a second.
static double rate_of(void (*work)(struct tokens *), struct tokens *tokens, double seconds)
{
	double start = seconds_now(), now;
	size_t count = 0;
	do {
		work(tokens);
		count += VOUCHER_TOKENS;
		now = seconds_now();
	} while (now - start < seconds);
	return (double)count / (now - start);
}

int bench_token(int argc, char **argv)
{
	double seconds = 0.3, rounds = 9, ours[2][ROUNDS_MAX], bare[2][ROUNDS_MAX];
	bool json = false, spoil = false;
	const struct option_of options[] = {
	    {"seconds", &seconds, NULL},
	    {"rounds", &rounds, NULL},
	    {"json", NULL, &json},
	    {"spoil", NULL, &spoil},
	};
	static struct tokens tokens;
	options_read(argc, argv, options, sizeof options / sizeof *options);
	if (rounds < 1 || rounds > ROUNDS_MAX || sodium_init() < 0)
		return 2;
	prepare(&tokens);
	issue(&tokens);
	must(tokens_finish(tokens.key.pair.public_key, VOUCHER_TOKENS, tokens.requests,
	                   (const uint8_t(*)[ELEMENT_BYTES])tokens.evaluated, tokens.proof, tokens.tokens),
	     "the proof of an issue");
	if (spoil)
		tokens.tokens[VOUCHER_TOKENS - 1][TOKEN_BYTES - 1] ^= 1;
	for (size_t round = 0; round < (size_t)rounds; round++) {
		ours[0][round] = rate_of(issue, &tokens, seconds);
		bare[0][round] = rate_of(issue_bare, &tokens, seconds);
		ours[1][round] = rate_of(redeem, &tokens, seconds);
		bare[1][round] = rate_of(redeem_bare, &tokens, seconds);
	}
	for (int i = 0; i < 2; i++)
		figure_print(&(struct figure){.bench = "token",
		                              .what = i ? "redeemed" : "issued, with proof",
		                              .unit = "/s",
		                              .ours = figure_median(ours[i], (size_t)rounds),
		                              .peer = figure_median(bare[i], (size_t)rounds),
		                              .peer_name = "libsodium bare",
		                              .kind = RATIO_AT_LEAST,
		                              .goal = 0.8},
		             json);
	return 0;
}
