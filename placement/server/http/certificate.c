#include "placement/server/http/certificate.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_PEM (1 << 20)
#define MAX_CHAIN 16

/* The PEM of the pair in use; NULL before it is read. */
static char *certificate_text, *key_text;

/* What gnutls makes of a pair. */
struct parsed {
    gnutls_pcert_st *chain; /* in gnutls's own memory, as it frees what it is given */
    unsigned count;
    gnutls_privkey_t key;
};

static void parsed_clear(struct parsed *parsed)
{
    for (unsigned i = 0; i < parsed->count; i++)
        gnutls_pcert_deinit(&parsed->chain[i]);
    gnutls_free(parsed->chain);
    if (parsed->key)
        gnutls_privkey_deinit(parsed->key);
    *parsed = (struct parsed){0};
}

static gnutls_datum_t datum(char *text)
{
    return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

/* 0 or gnutls's code. */
static int parse_chain(char *text, struct parsed *out)
{
    const gnutls_datum_t pem = datum(text);
    unsigned count = MAX_CHAIN;
    out->chain = gnutls_calloc(MAX_CHAIN, sizeof *out->chain);
    if (!out->chain)
        return GNUTLS_E_MEMORY_ERROR;
    int rc = gnutls_pcert_list_import_x509_raw(
        out->chain, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
    out->count = rc == 0 ? count : 0;
    return rc;
}

static int parse_key(char *text, struct parsed *out)
{
    const gnutls_datum_t pem = datum(text);
    int rc = gnutls_privkey_init(&out->key);
    return rc == 0 ? gnutls_privkey_import_x509_raw(out->key, &pem, GNUTLS_X509_FMT_PEM,
                                                    NULL, 0)
                   : rc;
}

#define ID_SIZE 32 /* of SHA-256 */

static bool belong_together(const struct parsed *parsed)
{
    unsigned char one[ID_SIZE] = {0}, other[ID_SIZE] = {0};
    size_t size = sizeof one, other_size = sizeof other;
    gnutls_pubkey_t public_key;
    if (gnutls_pubkey_init(&public_key) != 0)
        return false;
    bool same =
        gnutls_pubkey_import_privkey(public_key, parsed->key, 0, 0) == 0 &&
        gnutls_pubkey_get_key_id(public_key, GNUTLS_KEYID_USE_SHA256, one, &size) ==
            0 &&
        gnutls_pubkey_get_key_id(parsed->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                                 other, &other_size) == 0 &&
        memcmp(one, other, sizeof one) == 0;
    gnutls_pubkey_deinit(public_key);
    return same;
}

static int check(const char *certificate_path, char *certificate, const char *key_path,
                 char *key, struct error *err)
{
    _cleanup_(parsed_clear) struct parsed parsed = {0};
    int rc = parse_chain(certificate, &parsed);
    if (rc != 0)
        return error_set(err, ERROR_INVALID, "%s: no certificate in PEM: %s",
                         certificate_path, gnutls_strerror(rc));
    rc = parse_key(key, &parsed);
    if (rc != 0)
        return error_set(err, ERROR_INVALID, "%s: no key in PEM: %s", key_path,
                         gnutls_strerror(rc));
    if (!belong_together(&parsed))
        return error_set(err, ERROR_INVALID,
                         "%s is not the key of the certificate in %s", key_path,
                         certificate_path);
    return 0;
}

int certificate_read(const char *certificate_path, const char *key_path,
                     struct error *err)
{
    _cleanup_free_ char *certificate = NULL, *key = NULL;
    if (file_read_at(AT_FDCWD, certificate_path, MAX_PEM, &certificate, NULL, err) !=
            0 ||
        file_read_at(AT_FDCWD, key_path, MAX_PEM, &key, NULL, err) != 0 ||
        check(certificate_path, certificate, key_path, key, err) != 0)
        return -1;
    certificate_forget();
    certificate_text = steal(certificate);
    key_text = steal(key);
    return 0;
}

void certificate_forget(void)
{
    if (key_text)
        explicit_bzero(key_text, strlen(key_text));
    free(certificate_text);
    free(key_text);
    certificate_text = key_text = NULL;
}

int certificate_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                     gnutls_pcert_st **certificates, unsigned *count,
                     gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
                     gnutls_privkey_t *key, unsigned *flags)
{
    (void)session, (void)info;
    _cleanup_(parsed_clear) struct parsed parsed = {0};
    if (parse_chain(certificate_text, &parsed) != 0 ||
        parse_key(key_text, &parsed) != 0)
        return -1;
    *certificates = steal(parsed.chain);
    *count = parsed.count;
    *key = steal(parsed.key);
    parsed.count = 0;
    *ocsp = NULL;
    *ocsp_count = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}
