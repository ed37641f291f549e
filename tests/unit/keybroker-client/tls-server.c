/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keybroker-client/tls-server.h"

#include <arpa/inet.h>
#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CONNECTIONS_MAX 64
#define REQUEST_MAX (256u * 1024u)
#define MUST(expr) ck_assert_msg((expr), "%s", #expr)

typedef struct Connection {
        TlsServer *server;
        pthread_t thread;
        int fd;
        unsigned number;
} Connection;

struct TlsServer {
        int fd;
        SSL_CTX *ctx;
        TlsServerOptions options;
        TlsHandler handler;
        void *userdata;
        pthread_t thread;
        pthread_mutex_t lock; /* of the handler and all below */
        Connection connections[CONNECTIONS_MAX];
        unsigned n_connections;
        bool stopping;
        char url[64], ca_file[64];
};

static X509 *issue(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key) {
        X509 *cert = X509_new();
        X509V3_CTX ctx;
        X509_EXTENSION *ext;

        MUST(X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1));
        MUST(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) && X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
        MUST(X509_set_pubkey(cert, key));
        MUST(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const uint8_t *) name, -1, -1,
                                        0));
        MUST(X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)));
        X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
        ext = issuer ? X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, "IP:127.0.0.1") :
                       X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "critical,CA:TRUE");
        MUST(ext && X509_add_ext(cert, ext, -1));
        X509_EXTENSION_free(ext);
        MUST(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
        return cert;
}

static void set_up_tls(TlsServer *s, int max_version) {
        EVP_PKEY *ca_key = EVP_EC_gen("prime256v1"), *key = EVP_EC_gen("prime256v1");
        X509 *ca = issue(ca_key, "authority of a test", NULL, ca_key);
        X509 *cert = issue(key, "server of a test", ca, ca_key);
        int fd;
        FILE *f;

        (void) strcpy(s->ca_file, "/tmp/kbc-ca-XXXXXX");
        fd = mkstemp(s->ca_file);
        MUST(fd >= 0);
        f = fdopen(fd, "w");
        MUST(f && PEM_write_X509(f, ca) == 1 && fclose(f) == 0);
        s->ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_security_level(s->ctx, 0); /* or OpenSSL itself refuses the old versions */
        MUST(SSL_CTX_set_min_proto_version(s->ctx, TLS1_VERSION) == 1);
        MUST(SSL_CTX_set_max_proto_version(s->ctx, max_version) == 1);
        MUST(SSL_CTX_use_certificate(s->ctx, cert) == 1 && SSL_CTX_use_PrivateKey(s->ctx, key) == 1);
        X509_free(cert);
        X509_free(ca);
        EVP_PKEY_free(key);
        EVP_PKEY_free(ca_key);
}

static int receive(SSL *ssl, int fd, void *p, size_t n) {
        return ssl ? SSL_read(ssl, p, (int) n) : (int) read(fd, p, n);
}

/* Up to the end of one request; NULL when the peer goes before. */
static char *read_request(SSL *ssl, int fd, size_t *ret_body) {
        char *text = calloc(1, REQUEST_MAX + 1);
        size_t n = 0, want = REQUEST_MAX;

        while (n < want) {
                char *end, *length;
                int k = receive(ssl, fd, text + n, REQUEST_MAX - n);

                if (k <= 0) {
                        free(text);
                        return NULL;
                }
                n += (size_t) k;
                if (!ssl) { /* a greeting in TLS never ends like a request */
                        *ret_body = n;
                        return text;
                }
                end = strstr(text, "\r\n\r\n");
                if (!end)
                        continue;
                *ret_body = (size_t) (end - text) + 4;
                length = strcasestr(text, "\r\nContent-Length:");
                want = *ret_body + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
        }
        return text;
}

static void parse_request(char *text, size_t body, unsigned connection, TlsRequest *ret) {
        char *cookie;

        ret->body = text + body;
        ret->size = strlen(ret->body);
        ret->connection = connection;
        (void) sscanf(text, "%7s %511s", ret->method, ret->path);
        text[body - 1] = 0;
        ret->header = text;
        cookie = strcasestr(text, "\r\nCookie: ");
        if (cookie)
                (void) sscanf(cookie + 10, "%255[^\r]", ret->cookie);
}

static TlsAction serve(Connection *c, SSL *ssl) {
        TlsServer *s = c->server;
        AUTO_WRITER Writer answer = wr_init(64u * 1024u * 1024u);
        AUTO_FREE char *text = NULL;
        TlsRequest q = {};
        TlsAction action;
        size_t body = 0;

        text = read_request(ssl, c->fd, &body);
        if (!text)
                return TLS_CLOSE;
        parse_request(text, body, c->number, &q);
        (void) pthread_mutex_lock(&s->lock);
        action = s->handler(s->userdata, &q, &answer);
        (void) pthread_mutex_unlock(&s->lock);
        for (size_t n = 0; n < answer.size;) {
                size_t part = answer.size - n < 16384 ? answer.size - n : 16384;
                int k = ssl ? SSL_write(ssl, answer.data + n, (int) part) :
                              (int) send(c->fd, answer.data + n, part, MSG_NOSIGNAL);

                if (k <= 0)
                        return TLS_CLOSE;
                n += (size_t) k;
        }
        return action;
}

static void *connection_main(void *p) {
        Connection *c = p;
        SSL *ssl = c->server->options.plain ? NULL : SSL_new(c->server->ctx);
        TlsAction action = TLS_KEEP;
        char sink[512];

        if (c->server->options.hang_up || (ssl && (SSL_set_fd(ssl, c->fd) != 1 || SSL_accept(ssl) != 1)))
                action = TLS_CLOSE;
        while (action == TLS_KEEP)
                action = serve(c, ssl);
        while (action == TLS_STALL && receive(ssl, c->fd, sink, sizeof(sink)) > 0)
                ;
        if (ssl)
                (void) SSL_shutdown(ssl);
        SSL_free(ssl);
        (void) shutdown(c->fd, SHUT_RDWR); /* closed when the server stops, so that its number is not used again */
        return NULL;
}

static void *server_main(void *p) {
        TlsServer *s = p;

        for (;;) {
                int fd = accept(s->fd, NULL, NULL);
                Connection *c;

                if (fd < 0)
                        return NULL;
                (void) pthread_mutex_lock(&s->lock);
                if (s->stopping || s->n_connections == CONNECTIONS_MAX) {
                        (void) pthread_mutex_unlock(&s->lock);
                        (void) close(fd);
                        continue;
                }
                c = &s->connections[s->n_connections++];
                *c = (Connection){ .server = s, .fd = fd, .number = s->n_connections };
                (void) pthread_create(&c->thread, NULL, connection_main, c);
                (void) pthread_mutex_unlock(&s->lock);
        }
}

TlsServer *tls_server_start(const TlsServerOptions *options, TlsHandler handler, void *userdata) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(a);
        TlsServer *s = calloc(1, sizeof(*s));

        (void) signal(SIGPIPE, SIG_IGN);
        s->handler = handler;
        s->userdata = userdata;
        s->options = options ? *options : (TlsServerOptions){};
        set_up_tls(s, s->options.max_version);
        (void) pthread_mutex_init(&s->lock, NULL);
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        MUST(s->fd >= 0 && bind(s->fd, (struct sockaddr *) &a, sizeof(a)) == 0 && listen(s->fd, 16) == 0);
        MUST(getsockname(s->fd, (struct sockaddr *) &a, &len) == 0);
        (void) snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%u", ntohs(a.sin_port));
        MUST(pthread_create(&s->thread, NULL, server_main, s) == 0);
        return s;
}

void tls_server_stop(TlsServer *s) {
        (void) pthread_mutex_lock(&s->lock);
        s->stopping = true;
        for (unsigned i = 0; i < s->n_connections; i++)
                (void) shutdown(s->connections[i].fd, SHUT_RDWR);
        (void) pthread_mutex_unlock(&s->lock);
        (void) shutdown(s->fd, SHUT_RDWR); /* wakes accept() */
        (void) pthread_join(s->thread, NULL);
        for (unsigned i = 0; i < s->n_connections; i++) {
                (void) pthread_join(s->connections[i].thread, NULL);
                (void) close(s->connections[i].fd);
        }
        (void) close(s->fd);
        (void) unlink(s->ca_file);
        SSL_CTX_free(s->ctx);
        (void) pthread_mutex_destroy(&s->lock);
        free(s);
}

const char *tls_server_url(const TlsServer *s) {
        return s->url;
}

const char *tls_server_ca_file(const TlsServer *s) {
        return s->ca_file;
}

unsigned tls_server_n_connections(TlsServer *s) {
        unsigned n;

        (void) pthread_mutex_lock(&s->lock);
        n = s->n_connections;
        (void) pthread_mutex_unlock(&s->lock);
        return n;
}

void http_answer(Writer *w, int status, const char *fields, const char *body) {
        char head[128];

        (void) snprintf(head, sizeof(head), "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n", status, strlen(body));
        wr_str(w, head);
        wr_str(w, fields);
        wr_str(w, "\r\n");
        wr_str(w, body);
}
