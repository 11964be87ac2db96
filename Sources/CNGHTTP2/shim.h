// Everything joulegate needs of libnghttp2. The names that newer releases deprecate are
// still the only ones in Debian 12's package, so they are used as they are.
#ifndef JOULEGATE_CNGHTTP2_SHIM_H
#define JOULEGATE_CNGHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>

#endif
