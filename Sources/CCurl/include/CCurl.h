#ifndef CCURL_H
#define CCURL_H

// Typed doors to the variadic part of libcurl, which Swift cannot call. Everything else is used as curl.h declares it.

#include <curl/curl.h>

typedef size_t (*ccurl_data_callback)(char *data, size_t size, size_t count, void *context);

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value);
/// Copies `length` bytes of `body`, which the handle then owns.
CURLcode ccurl_set_body(CURL *easy, const void *body, size_t length);
/// `headers` must live as long as the transfer.
CURLcode ccurl_set_headers(CURL *easy, struct curl_slist *headers);
CURLcode ccurl_set_body_sink(CURL *easy, ccurl_data_callback sink, void *context);
CURLcode ccurl_set_header_sink(CURL *easy, ccurl_data_callback sink, void *context);

/// -1 when libcurl does not know.
long ccurl_get_long(CURL *easy, CURLINFO info);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/// Takes the next finished transfer. Returns NULL when there is none.
CURL *ccurl_multi_next_done(CURLM *multi, CURLcode *result);

/// For `top` and debuggers; at most 15 bytes are kept (pthread_setname_np(3)).
void ccurl_name_this_thread(const char *name);

#endif
