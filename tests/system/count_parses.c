/*
 * count_parses: a library to be preloaded (LD_PRELOAD) into a program that serves TLS:
 * for each private key that gnutls reads from text some bytes are added to the file
 * PARSES_FILE. For an RSA key that takes milliseconds, in which nobody else is served.
 * Threads: any.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <unistd.h>

static int file = -1;

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("PARSES_FILE");
    if (path)
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void *count(const char *name)
{
    void *real = dlsym(RTLD_NEXT, name);
    if (!real || write(file, "x", 1) != 1)
        abort();
    return real;
}

int gnutls_x509_privkey_import(gnutls_x509_privkey_t key, const gnutls_datum_t *data,
                               gnutls_x509_crt_fmt_t format)
{
    __typeof__(&gnutls_x509_privkey_import) real;
    *(void **)&real = count("gnutls_x509_privkey_import");
    return real(key, data, format);
}

int gnutls_x509_privkey_import2(gnutls_x509_privkey_t key, const gnutls_datum_t *data,
                                gnutls_x509_crt_fmt_t format, const char *password,
                                unsigned int flags)
{
    __typeof__(&gnutls_x509_privkey_import2) real;
    *(void **)&real = count("gnutls_x509_privkey_import2");
    return real(key, data, format, password, flags);
}

int gnutls_privkey_import_x509_raw(gnutls_privkey_t key, const gnutls_datum_t *data,
                                   gnutls_x509_crt_fmt_t format, const char *password,
                                   unsigned int flags)
{
    __typeof__(&gnutls_privkey_import_x509_raw) real;
    *(void **)&real = count("gnutls_privkey_import_x509_raw");
    return real(key, data, format, password, flags);
}

int gnutls_certificate_set_x509_key_mem2(gnutls_certificate_credentials_t credentials,
                                         const gnutls_datum_t *certificate,
                                         const gnutls_datum_t *key,
                                         gnutls_x509_crt_fmt_t format,
                                         const char *password, unsigned int flags)
{
    __typeof__(&gnutls_certificate_set_x509_key_mem2) real;
    *(void **)&real = count("gnutls_certificate_set_x509_key_mem2");
    return real(credentials, certificate, key, format, password, flags);
}
