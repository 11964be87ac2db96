// Everything joulegate needs of OpenSSL; macros become inline functions that Swift can call.
#ifndef JOULEGATE_COPENSSL_SHIM_H
#define JOULEGATE_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// The name SHA256 is taken by a Swift type in the room that calls this.
static inline void joulegate_sha256(const void *bytes, size_t count, unsigned char *digest) {
    SHA256((const unsigned char *)bytes, count, digest);
}

// The settings both sides share: no compression, no renegotiation, the server's cipher order
// (yielding to a client without AES hardware), writes record by record from a buffer that may
// move, record buffers given back between records, and no session cache.
static inline void joulegate_ssl_ctx_set_defaults(SSL_CTX *context) {
    SSL_CTX_set_options(
        context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // Of two sound ciphers the one with the shorter key costs less.
    SSL_CTX_set_ciphersuites(
        context,
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_mode(
        context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                     SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

// Counts the steps of a connection's handshakes, those behind the first one (key updates) included,
// in the slot that OpenSSL keeps for its user.
static inline void joulegate_count_handshake_step(const SSL *ssl, int where, int value) {
    (void)value;
    if ((where & SSL_CB_LOOP) == 0) return;
    size_t count = (size_t)SSL_get_ex_data(ssl, 0);
    SSL_set_ex_data((SSL *)ssl, 0, (void *)(count + 1));
}

static inline void joulegate_ssl_count_handshake_steps(SSL *ssl) {
    SSL_set_info_callback(ssl, joulegate_count_handshake_step);
}

static inline size_t joulegate_ssl_handshake_steps(const SSL *ssl) {
    return (size_t)SSL_get_ex_data(ssl, 0);
}

static inline int joulegate_ssl_ctx_set_versions(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
           SSL_CTX_set_max_proto_version(context, highest) == 1;
}

static inline int joulegate_ssl_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

// A memory BIO that says "try again", not "end of file", when it is empty.
static inline BIO *joulegate_bio_memory(void) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL) BIO_set_mem_eof_return(bio, -1);
    return bio;
}

// How much memory a memory BIO holds on to; it never gives any back by itself.
static inline size_t joulegate_bio_memory_capacity(BIO *bio) {
    BUF_MEM *memory = NULL;
    BIO_get_mem_ptr(bio, &memory);
    return memory == NULL ? 0 : memory->max;
}

static inline EVP_PKEY *joulegate_new_p256_key(void) { return EVP_EC_gen("P-256"); }

static inline int joulegate_general_names_push(GENERAL_NAMES *names, GENERAL_NAME *name) {
    return sk_GENERAL_NAME_push(names, name);
}

#endif
