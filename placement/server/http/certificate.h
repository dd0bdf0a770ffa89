/*
 * certificate: the certificate, with its chain, and the key that the HTTPS server
 * shows, from PEM files. They can be read again while it serves: the next handshake has
 * the new ones. There is one pair in a process, as gnutls's callback is told nothing of
 * ours. One thread.
 */
#ifndef PLACEMENT_SERVER_HTTP_CERTIFICATE_H
#define PLACEMENT_SERVER_HTTP_CERTIFICATE_H

#include <gnutls/abstract.h>

#include "lib/error.h"

/* Reads both, again where it did before. When one is not sound, or they do not belong
 * together, those that were there stay. */
int certificate_read(const char *certificate_path, const char *key_path,
                     struct error *err);
void certificate_forget(void);

/* A gnutls_certificate_retrieve_function3: copies for one handshake, which gnutls
 * frees. */
int certificate_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                     gnutls_pcert_st **certificates, unsigned *count,
                     gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
                     gnutls_privkey_t *key, unsigned *flags);

#endif
