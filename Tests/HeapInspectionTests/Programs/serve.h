// Rounds on demand, for the C and C++ programs: NAME leak|fixed --serve PORT answers each HTTP request by one round. The loop
// calls `turn` once a round; there it waits for the next request, and the answer to the last one goes out.
#ifndef SERVE_H
#define SERVE_H
#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static sem_t round_asked, round_done;
static pthread_mutex_t round_order = PTHREAD_MUTEX_INITIALIZER;
static int is_served, is_begun;
static useconds_t round_pace;

static inline void turn(void) {
    if (!is_served) {
        usleep(round_pace);
        return;
    }
    if (is_begun) sem_post(&round_done);
    is_begun = 1;
    while (sem_wait(&round_asked) != 0) {}
}

static void *answer_connection(void *argument) {
    int connection = (int)(long)argument, filled = 0;
    char buffer[4096];
    const char *text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    for (;;) {
        ssize_t count = recv(connection, buffer + filled, sizeof buffer - (size_t)filled, 0);
        if (count <= 0) break;
        filled += (int)count;
        if (filled < 4 || memcmp(buffer + filled - 4, "\r\n\r\n", 4) != 0) continue;
        filled = 0;
        pthread_mutex_lock(&round_order);
        sem_post(&round_asked);
        while (sem_wait(&round_done) != 0) {}
        pthread_mutex_unlock(&round_order);
        if (send(connection, text, strlen(text), MSG_NOSIGNAL) < 0) break;
    }
    close(connection);
    return NULL;
}

static void *serve_rounds(void *argument) {
    int listener = (int)(long)argument;
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        pthread_t thread;
        if (connection >= 0 && pthread_create(&thread, NULL, answer_connection, (void *)(long)connection) == 0) pthread_detach(thread);
    }
    return NULL;
}

/// Reads what follows NAME and leak|fixed: nothing, milliseconds, or --serve PORT.
static inline int read_pace(int count, char **arguments) {
    if (count == 4) round_pace = 1000 * (useconds_t)atoi(arguments[3]);
    if (count != 5 || strcmp(arguments[3], "--serve") != 0) return count == 3 || count == 4;
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(arguments[4]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 128) != 0) return 0;
    sem_init(&round_asked, 0, 0);
    sem_init(&round_done, 0, 0);
    is_served = 1;
    pthread_t thread;
    return pthread_create(&thread, NULL, serve_rounds, (void *)(long)listener) == 0;
}
#endif
