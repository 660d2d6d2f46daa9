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

/// Uploads `length` bytes that `source` hands out.
CURLcode ccurl_set_upload(CURL *easy, ccurl_data_callback source, void *context, size_t length);
/// Envelope recipients; one that is refused does not keep the others from getting the mail.
/// `recipients` must live as long as the transfer.
CURLcode ccurl_set_mail_recipients(CURL *easy, struct curl_slist *recipients);

typedef int (*ccurl_prereq_callback)(
    void *context, char *peer_address, char *own_address, int peer_port, int own_port);
CURLcode ccurl_set_prereq(CURL *easy, ccurl_prereq_callback callback, void *context);
typedef int (*ccurl_progress_callback)(
    void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up);
CURLcode ccurl_set_progress(CURL *easy, ccurl_progress_callback callback, void *context);

/// An address in network order: 4 or 16 bytes.
struct ccurl_address {
    unsigned length;
    unsigned char bytes[16];
};
/// Connects to this address instead of the URL's host, which TLS and the Host header keep. `to` must live as long as the
/// transfer.
CURLcode ccurl_set_connect_to(CURL *easy, struct curl_slist *to);
/// Opens no socket to any other address. `only` must live as long as the transfer.
CURLcode ccurl_set_only_address(CURL *easy, struct ccurl_address *only);

/// -1 when libcurl does not know.
long ccurl_get_long(CURL *easy, CURLINFO info);
/// Of an info that is a `curl_off_t`; -1 when libcurl does not know.
long long ccurl_get_offset(CURL *easy, CURLINFO info);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/// Takes the next finished transfer. Returns NULL when there is none.
CURL *ccurl_multi_next_done(CURLM *multi, CURLcode *result);

/// For `top` and debuggers; at most 15 bytes are kept (pthread_setname_np(3)).
void ccurl_name_this_thread(const char *name);

#endif
