// Everything joulegate needs of OpenSSL; macros become inline functions that Swift can call.
#ifndef JOULEGATE_COPENSSL_SHIM_H
#define JOULEGATE_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
