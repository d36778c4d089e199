/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing as OP-TEE wants it: a header, the digest, the signature, UUID and version, and the payload. The digest is
 * SHA-256 of all but digest and signature; the signature is RSASSA-PSS of that with MGF1 and SHA-256, and a salt of the
 * digest's length. All numbers are little-endian, as this machine must be.
 */
#include "compiler/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"

static enum wk_status fail(struct wk_report *report, const char *what, const char *why)
{
	return wk_report_set(report, WK_UNSUPPORTED, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", what, why);
}

#ifdef WK_WITH_OPENSSL

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define MAGIC 0x4f545348u              /* "HSTO" */
#define BOOTSTRAP_TA 1u                /* not encrypted, not below a subkey */
#define PSS_SHA256 0x70414930u         /* TEE_ALG_RSASSA_PKCS1_PSS_MGF1_SHA256 */
#define DIGEST_SIZE 32u

struct header {
	uint32_t magic, type, payload_size, algorithm;
	uint16_t digest_size, signature_size;
};
_Static_assert(sizeof(struct header) == 20, "OP-TEE's struct shdr");

struct name {
	uint8_t uuid[16];
	uint32_t version;
};
_Static_assert(sizeof(struct name) == 20, "OP-TEE's struct shdr_bootstrap_ta");

struct wk_key { EVP_PKEY *rsa; };

/* Nobody is asked for a passphrase: builds have no terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

enum wk_status wk_key_read(const char *path, struct wk_report *report, struct wk_key **key)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *rsa;

	if (!file)
		return wk_report_set(report, WK_IO, WK_NO_OFFSET, WK_NO_FUNCTION, "%s: %s", path, strerror(errno));
	rsa = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (!rsa)
		return fail(report, path, "this is no private key in PEM, or it has a passphrase");
	if (EVP_PKEY_base_id(rsa) != EVP_PKEY_RSA || EVP_PKEY_bits(rsa) < 2048 || EVP_PKEY_bits(rsa) > 4096) {
		EVP_PKEY_free(rsa);
		return fail(report, path, "OP-TEE takes RSA keys of 2048 to 4096 bits");
	}
	*key = malloc(sizeof **key);
	if (!*key) {
		EVP_PKEY_free(rsa);
		return WK_NO_MEMORY;
	}
	(*key)->rsa = rsa;
	return WK_OK;
}

void wk_key_delete(struct wk_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->rsa);
	free(key);
}

static bool add(EVP_MD_CTX *hash, const struct header *header, const struct name *name, struct wk_span payload,
	int (*update)(EVP_MD_CTX *hash, const void *bytes, size_t size))
{
	return update(hash, header, sizeof *header) == 1 && update(hash, name, sizeof *name) == 1 &&
		update(hash, payload.data, payload.size) == 1;
}

static bool digest_of(const struct header *header, const struct name *name, struct wk_span payload, uint8_t *digest)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
		add(hash, header, name, payload, EVP_DigestUpdate) && EVP_DigestFinal_ex(hash, digest, NULL) == 1;

	EVP_MD_CTX_free(hash);
	return good;
}

static bool signature_of(struct wk_key *key, const struct header *header, const struct name *name,
	struct wk_span payload, uint8_t *signature)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL;
	size_t size = header->signature_size;
	bool good = hash && EVP_DigestSignInit(hash, &how, EVP_sha256(), NULL, key->rsa) == 1 &&
		EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(how, EVP_sha256()) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1 &&
		add(hash, header, name, payload, EVP_DigestSignUpdate) && EVP_DigestSignFinal(hash, signature, &size) == 1 &&
		size == header->signature_size;

	EVP_MD_CTX_free(hash);
	return good;
}

enum wk_status wk_sign(struct wk_key *key, struct wk_span payload, const uint8_t uuid[16], struct wk_report *report,
	uint8_t **file, size_t *size)
{
	struct header header = { MAGIC, BOOTSTRAP_TA, (uint32_t)payload.size, PSS_SHA256, DIGEST_SIZE,
		(uint16_t)EVP_PKEY_size(key->rsa) };
	struct name name = { .version = 0 };
	uint8_t *at;

	*size = sizeof header + header.digest_size + header.signature_size + sizeof name + payload.size;
	if (payload.size > WK_SIGNED_MAX || *size > WK_SIGNED_MAX)
		return wk_report_set(report, WK_LIMIT, WK_NO_OFFSET, WK_NO_FUNCTION,
			"the image would have %llu bytes, and OP-TEE takes at most %llu: compile with -O1, or a smaller module",
			(unsigned long long)*size, (unsigned long long)WK_SIGNED_MAX);
	at = *file = malloc(*size);
	if (!at)
		return WK_NO_MEMORY;
	memcpy(name.uuid, uuid, sizeof name.uuid);
	memcpy(at, &header, sizeof header);
	at += sizeof header;
	if (!digest_of(&header, &name, payload, at) || !signature_of(key, &header, &name, payload, at + DIGEST_SIZE)) {
		free(*file);
		*file = NULL;
		return fail(report, "the image", "OpenSSL cannot sign it with this key");
	}
	at += header.digest_size + header.signature_size;
	memcpy(at, &name, sizeof name);
	memcpy(at + sizeof name, payload.data, payload.size);
	return WK_OK;
}

#else

enum wk_status wk_key_read(const char *path, struct wk_report *report, struct wk_key **key)
{
	(void)path, (void)key;
	return fail(report, "--sign", "this wasmkeep was built without OpenSSL (Debian: libssl-dev), which signs");
}

void wk_key_delete(struct wk_key *key)
{
	(void)key;
}

enum wk_status wk_sign(struct wk_key *key, struct wk_span payload, const uint8_t uuid[16], struct wk_report *report,
	uint8_t **file, size_t *size)
{
	(void)key, (void)payload, (void)uuid, (void)file, (void)size, (void)errno;
	return fail(report, "--sign", "this wasmkeep was built without OpenSSL (Debian: libssl-dev), which signs");
}

#endif
