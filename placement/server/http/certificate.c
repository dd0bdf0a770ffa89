#include "placement/server/http/certificate.h"

#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_PEM (1 << 20)
#define MAX_CHAIN 16

/* A pair as gnutls reads it, which takes milliseconds: a handshake gets copies, in
 * microseconds. */
struct pair {
    gnutls_x509_crt_t *chain;
    unsigned count;
    gnutls_x509_privkey_t key;
};

/* The one in use; all zero before it is read. */
static struct pair used;

static void pair_clear(struct pair *pair)
{
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_x509_crt_deinit(pair->chain[i]);
    gnutls_free(pair->chain);
    if (pair->key)
        gnutls_x509_privkey_deinit(pair->key);
    *pair = (struct pair){0};
}

static gnutls_datum_t datum(char *text)
{
    return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

/* 0 or gnutls's code. */
static int parse_chain(char *text, struct pair *out)
{
    const gnutls_datum_t pem = datum(text);
    int rc = gnutls_x509_crt_list_import2(
        &out->chain, &out->count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
    return rc == 0 && out->count > MAX_CHAIN ? GNUTLS_E_SHORT_MEMORY_BUFFER : rc;
}

static int parse_key(char *text, struct pair *out)
{
    const gnutls_datum_t pem = datum(text);
    int rc = gnutls_x509_privkey_init(&out->key);
    return rc == 0 ? gnutls_x509_privkey_import2(out->key, &pem, GNUTLS_X509_FMT_PEM,
                                                 NULL, 0)
                   : rc;
}

#define ID_SIZE 32 /* of SHA-256 */

static bool belong_together(const struct pair *pair)
{
    unsigned char one[ID_SIZE] = {0}, other[ID_SIZE] = {0};
    size_t size = sizeof one, other_size = sizeof other;
    return gnutls_x509_privkey_get_key_id(pair->key, GNUTLS_KEYID_USE_SHA256, one,
                                          &size) == 0 &&
           gnutls_x509_crt_get_key_id(pair->chain[0], GNUTLS_KEYID_USE_SHA256, other,
                                      &other_size) == 0 &&
           memcmp(one, other, sizeof one) == 0;
}

static int parse(const char *certificate_path, char *certificate, const char *key_path,
                 char *key, struct pair *out, struct error *err)
{
    int rc = parse_chain(certificate, out);
    if (rc != 0)
        return error_set(err, ERROR_INVALID, "%s: no certificate in PEM: %s",
                         certificate_path, gnutls_strerror(rc));
    rc = parse_key(key, out);
    if (rc != 0)
        return error_set(err, ERROR_INVALID, "%s: no key in PEM: %s", key_path,
                         gnutls_strerror(rc));
    if (!belong_together(out))
        return error_set(err, ERROR_INVALID,
                         "%s is not the key of the certificate in %s", key_path,
                         certificate_path);
    return 0;
}

static int read_pair(const char *certificate_path, const char *key_path,
                     struct pair *out, struct error *err)
{
    _cleanup_free_ char *certificate = NULL, *key = NULL;
    struct error why;
    if (file_read_at(AT_FDCWD, certificate_path, MAX_PEM, &certificate, NULL, &why) !=
        0)
        return error_set(err, ERROR_INVALID, "the certificate: %s", why.text);
    if (file_read_at(AT_FDCWD, key_path, MAX_PEM, &key, NULL, &why) != 0)
        return error_set(err, ERROR_INVALID, "the certificate's key: %s", why.text);
    int rc = parse(certificate_path, certificate, key_path, key, out, err);
    explicit_bzero(key, strlen(key));
    return rc;
}

int certificate_read(const char *certificate_path, const char *key_path,
                     struct error *err)
{
    _cleanup_(pair_clear) struct pair pair = {0};
    if (read_pair(certificate_path, key_path, &pair, err) != 0)
        return -1;
    certificate_forget();
    used = pair;
    pair = (struct pair){0};
    return 0;
}

void certificate_forget(void)
{
    pair_clear(&used);
}

/* ---- for a handshake ---- */

/* In gnutls's own memory, as it frees what it is given. */
struct copy {
    gnutls_pcert_st *chain;
    unsigned count;
    gnutls_privkey_t key;
};

static void copy_clear(struct copy *copy)
{
    for (unsigned i = 0; i < copy->count; i++)
        gnutls_pcert_deinit(&copy->chain[i]);
    gnutls_free(copy->chain);
    if (copy->key)
        gnutls_privkey_deinit(copy->key);
}

static int copy_chain(struct copy *out)
{
    out->chain = gnutls_calloc(used.count, sizeof *out->chain);
    if (!out->chain)
        return GNUTLS_E_MEMORY_ERROR;
    for (; out->count < used.count; out->count++) {
        int rc = gnutls_pcert_import_x509(&out->chain[out->count],
                                          used.chain[out->count], 0);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int copy_key(struct copy *out)
{
    int rc = gnutls_privkey_init(&out->key);
    return rc == 0 ? gnutls_privkey_import_x509(out->key, used.key,
                                                GNUTLS_PRIVKEY_IMPORT_COPY)
                   : rc;
}

int certificate_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                     gnutls_pcert_st **certificates, unsigned *count,
                     gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
                     gnutls_privkey_t *key, unsigned *flags)
{
    (void)session, (void)info;
    _cleanup_(copy_clear) struct copy copy = {0};
    if (copy_chain(&copy) != 0 || copy_key(&copy) != 0)
        return -1;
    *certificates = copy.chain;
    *count = copy.count;
    *key = copy.key;
    copy = (struct copy){0};
    *ocsp = NULL;
    *ocsp_count = 0;
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    return 0;
}
