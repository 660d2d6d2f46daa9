// The same in C: blocks kept in a table behind a global, in a list, and lost. Usage: cleaks table|list|lost|small leak|fixed [MILLISECONDS | --serve PORT]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve.h"

enum { ROUNDS = 400, BYTES = 3000 };

struct request {
    struct request *next;
    char *body;
};

struct table {
    size_t count;
    struct request **slots;
};

struct table *request_table;
char *volatile last_body;
struct request *pending_requests;
static int rounds = ROUNDS;

static struct request *make_request(void) {
    turn();
    struct request *request = calloc(1, sizeof *request);
    request->body = malloc(BYTES);
    memset(request->body, 7, BYTES);
    last_body = request->body;
    return request;
}

static void release(struct request *request) {
    free(request->body);
    free(request);
}

__attribute__((noinline)) static void fill_table(int leaks) {
    request_table = calloc(1, sizeof *request_table);
    request_table->slots = calloc((size_t)rounds, sizeof *request_table->slots);
    for (int i = 0; i < rounds; i++) {
        struct request *request = make_request();
        if (leaks) request_table->slots[request_table->count++] = request;
        else release(request);
    }
}

__attribute__((noinline)) static void fill_list(int leaks) {
    for (int i = 0; i < (is_served ? rounds : 12); i++) {
        struct request *request = make_request();
        if (leaks) {
            request->next = pending_requests;
            pending_requests = request;
        } else {
            release(request);
        }
    }
}

__attribute__((noinline)) static void lose(int leaks) {
    for (int i = 0; i < rounds; i++) {
        struct request *request = make_request();
        last_body = NULL;
        if (leaks) free(request);
        else release(request);
    }
}

// Sixteen bytes a round, the least that a leak is expected to be found with.
__attribute__((noinline)) static void lose_little(int leaks) {
    for (int i = 0; i < rounds; i++) {
        turn();
        last_body = malloc(16);
        if (!leaks) free(last_body);
    }
}

int main(int count, char **arguments) {
    if (count < 3 || !read_pace(count, arguments)) return 2;
    if (is_served) rounds = 1 << 22;
    int leaks = strcmp(arguments[2], "leak") == 0;
    if (strcmp(arguments[1], "table") == 0) fill_table(leaks);
    else if (strcmp(arguments[1], "list") == 0) fill_list(leaks);
    else if (strcmp(arguments[1], "small") == 0) lose_little(leaks);
    else lose(leaks);
    if (request_table && request_table->count > (size_t)rounds) puts("too many");
    puts("ready");
    fflush(stdout);
    for (;;) pause();
    return 0;
}
