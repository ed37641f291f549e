/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The token plugin inside the real cryptsetup, against somebody who answers on the agent's socket. cryptsetup 2.6 loads
 * plugins from its compiled-in directory only, so this runs in a mount namespace of its own with a tmpfs there.
 */

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/wire/bodies.h"
#include "base/file.h"
#include "tests/integration/fake-agent.h"
#include "tests/integration/luks2-image.h"
#include "tests/integration/spawn.h"
#include "tests/unit/unit.h"

#define KEY "disk key that the broker releases"
#define TOKEN "{\"type\":\"snp-agent\",\"keyslots\":[\"0\"],\"v\":1,\"resource\":\"default/disk/root\"}"

static char dir[] = "/tmp/snp-test-token.XXXXXX";
static char image[64];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(image, sizeof(image), "%s/image", dir);
        luks2_image_create(image, KEY, strlen(KEY));
        luks2_image_set_token(image, TOKEN);
}

static void teardown(void) {
        (void) unlink(image);
        ck_assert_int_eq(rmdir(dir), 0);
}

/* cryptsetup with the plugin pointed at @socket; a short timeout, since one mood of the agent never answers. */
static SpawnResult cryptsetup(const char *socket, const char *const args[], const char *input) {
        AUTO_FREE char *socket_env = NULL, *preload = NULL;
        const char *sanitizer = getenv("SNP_TEST_PRELOAD");
        Spawn s = { .argv = { "cryptsetup" }, .input = input, .input_size = input ? strlen(input) : 0 };

        for (size_t i = 0; args[i]; i++)
                s.argv[i + 1] = args[i];
        ck_assert_int_gt(asprintf(&socket_env, "SNP_AGENT_SOCKET=%s", socket), 0);
        ck_assert_int_gt(asprintf(&preload, "LD_PRELOAD=%s", sanitizer ? sanitizer : ""), 0);
        s.env[0] = socket_env;
        s.env[1] = "SNP_AGENT_TIMEOUT=500ms";
        s.env[2] = preload;
        s.env[3] = "ASAN_OPTIONS=detect_leaks=0"; /* of cryptsetup itself */
        return spawn_run(&s);
}

static SpawnResult open_by_token(const char *socket) {
        const char *const args[] = { "open", "--test-passphrase", "--token-only", image, NULL };

        return cryptsetup(socket, args, NULL);
}

START_TEST(the_volume_opens_with_the_key_of_the_agent) {
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult r = {};

        fake_agent_start(&agent, dir);
        r = open_by_token(agent.socket);
        fake_agent_stop(&agent);
        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_str_eq(r.err, "");
        ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(the_agent_learns_volume_device_token_and_cipher) {
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        uint8_t body[8192];
        WireVolumeRequest q = {};
        uint16_t type = 0;
        ssize_t n;

        fake_agent_start(&agent, dir);
        r = open_by_token(agent.socket);
        n = fake_agent_next_request(&agent, &type, body, sizeof(body));
        fake_agent_stop(&agent);
        ck_assert_int_eq(r.status, 0);
        ck_assert_int_eq(type, WIRE_VOLUME_KEY);
        ck_assert_int_eq(wire_volume_request_parse(body, (size_t) n, &q, NULL), 0);
        ck_assert_uint_eq(q.uuid.len, strlen(LUKS2_IMAGE_UUID));
        ck_assert_mem_eq(q.uuid.text, LUKS2_IMAGE_UUID, q.uuid.len);
        ck_assert_uint_eq(q.device.len, strlen(image));
        ck_assert_mem_eq(q.device.text, image, q.device.len);
        ck_assert_uint_eq(q.cipher.len, strlen("aes-xts-plain64"));
        ck_assert_mem_eq(q.cipher.text, "aes-xts-plain64", q.cipher.len);
        ck_assert_uint_eq(q.token.len, strlen(TOKEN));
        ck_assert_mem_eq(q.token.text, TOKEN, q.token.len);
}
END_TEST

static const struct {
        const char *why;
        FakeAgent agent;
        const char *says; /* NULL: cryptsetup's own words, whatever they are */
} shut[] = {
        { "wrong key", { .mood = FAKE_ANSWERS, .secret = "another key" }, NULL },
        { "denied", { .mood = FAKE_DENIES }, "snp-agent: The broker's policy denies it" },
        { "hangs", { .mood = FAKE_HANGS }, "snp-agent: No answer in time" },
        { "truncated", { .mood = FAKE_TRUNCATES, .secret = KEY }, "snp-agent: " },
        { "closes", { .mood = FAKE_CLOSES }, "snp-agent: " },
        { "empty", { .mood = FAKE_IS_EMPTY }, "snp-agent: The answer holds an empty secret" },
        { "answers another question", { .mood = FAKE_ANSWERS_OTHER }, "snp-agent: " },
};

START_TEST(the_volume_stays_shut_and_the_reason_is_told) {
        FakeAgent agent = shut[_i].agent;
        AUTO_SPAWN_RESULT SpawnResult r = {};
        uint16_t type;
        uint8_t body[8192];

        fake_agent_start(&agent, dir);
        r = open_by_token(agent.socket);
        ck_assert_msg(fake_agent_next_request(&agent, &type, body, sizeof(body)) > 0, "%s: %s", shut[_i].why, r.err);
        fake_agent_stop(&agent);
        ck_assert_msg(r.status == 1 || r.status == 2, "%s: %d %s", shut[_i].why, r.status, r.err);
        if (shut[_i].says)
                ck_assert_msg(strstr(r.err, shut[_i].says), "%s: '%s'", shut[_i].why, r.err);
        ck_assert_ptr_null(strstr(r.err, KEY));
}
END_TEST

START_TEST(the_volume_stays_shut_when_nobody_listens) {
        AUTO_SPAWN_RESULT SpawnResult r = open_by_token("/run/nobody/listens/here");

        ck_assert_int_eq(r.status, 1);
        ck_assert_msg(strstr(r.err, "snp-agent: Cannot connect to /run/nobody/listens/here"), "%s", r.err);
}
END_TEST

static const struct {
        const char *why, *member, *value, *says;
        bool opens_by_passphrase; /* so that only our own check stands between the header and the key */
} forged[] = {
        { "null cipher of the segment", "segments.0.encryption", "\"cipher_null-ecb\"",
          "LUKS2 segments.0.encryption: 'cipher_null-ecb' does not encrypt", true },
        { "weak cipher of the segment", "segments.0.encryption", "\"aes-ecb\"",
          "LUKS2 segments.0.encryption: cipher 'aes-ecb' is not allowed", true },
        { "null cipher of the keyslot", "keyslots.0.area.encryption", "\"cipher_null-ecb\"",
          "LUKS2 keyslots.0.area.encryption: 'cipher_null-ecb' does not encrypt", false },
        { "flags", "config.flags", "[\"allow-discards\"]",
          "LUKS2 config.flags: not a member that we accept here", true },
};

START_TEST(no_key_is_requested_for_a_forged_header) {
        static const char *const by_passphrase[] = { "open", "--test-passphrase", "--disable-external-tokens",
                                                     "--key-file=-", image, NULL };
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult r = {}, control = {};
        uint16_t type;
        uint8_t body[8192];

        luks2_image_edit(image, forged[_i].member, forged[_i].value);
        control = cryptsetup("/nowhere", by_passphrase, KEY);
        ck_assert_msg((control.status == 0) == forged[_i].opens_by_passphrase, "%s: %d %s", forged[_i].why,
                      control.status, control.err);
        fake_agent_start(&agent, dir);
        r = open_by_token(agent.socket);
        ck_assert_int_eq(fake_agent_next_request(&agent, &type, body, sizeof(body)), -1);
        fake_agent_stop(&agent);
        ck_assert_msg(r.status == 1, "%s: %d %s", forged[_i].why, r.status, r.err);
        ck_assert_msg(strstr(r.err, forged[_i].says), "%s: '%s'", forged[_i].why, r.err);
}
END_TEST

START_TEST(a_token_of_another_type_is_left_to_others) {
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        uint16_t type;
        uint8_t body[8192];

        luks2_image_set_token(image, "{\"type\":\"somebody-else\",\"keyslots\":[\"0\"]}");
        fake_agent_start(&agent, dir);
        r = open_by_token(agent.socket);
        ck_assert_int_eq(fake_agent_next_request(&agent, &type, body, sizeof(body)), -1);
        fake_agent_stop(&agent);
        ck_assert_int_eq(r.status, 1);
}
END_TEST

START_TEST(a_malformed_token_of_our_type_asks_for_nothing) {
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        uint16_t type;
        uint8_t body[8192];

        luks2_image_edit(image, "tokens.0.resource", "\"../../etc\"");
        fake_agent_start(&agent, dir);
        r = open_by_token(agent.socket);
        ck_assert_int_eq(fake_agent_next_request(&agent, &type, body, sizeof(body)), -1);
        fake_agent_stop(&agent);
        ck_assert_int_eq(r.status, 1);
}
END_TEST

START_TEST(cryptsetup_refuses_to_import_a_malformed_token) {
        static const char *const args[] = { "token", "import", "--json-file=-", image, NULL };
        static const char good[] = "{\"type\":\"snp-agent\",\"keyslots\":[\"0\"],\"v\":1,\"resource\":\"a/b/c\"}";
        static const char bad[] = "{\"type\":\"snp-agent\",\"keyslots\":[\"0\"],\"v\":1,\"resource\":\"a/b\"}";
        AUTO_SPAWN_RESULT SpawnResult accepted = cryptsetup("/nowhere", args, good);
        AUTO_SPAWN_RESULT SpawnResult refused = cryptsetup("/nowhere", args, bad);

        ck_assert_msg(accepted.status == 0, "%s", accepted.err);
        ck_assert_int_ne(refused.status, 0);
}
END_TEST

START_TEST(luks_dump_shows_the_resource) {
        AUTO_SPAWN_RESULT SpawnResult r =
                cryptsetup("/nowhere", (const char *const[]){ "luksDump", image, NULL }, NULL);

        ck_assert_int_eq(r.status, 0);
        ck_assert_msg(strstr(r.out, "\tresource: default/disk/root\n"), "%s", r.out);
}
END_TEST

static bool write_text(const char *path, const char *text) {
        AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && file_write_fd(fd, path, text, strlen(text), NULL) == 0;
}

/* As root it takes a mount namespace; otherwise a user namespace, where the kernel allows that, makes us its root. */
static bool enter_namespace(void) {
        uid_t uid = getuid();
        gid_t gid = getgid();
        char map[32];

        if (unshare(CLONE_NEWNS) == 0)
                return true;
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return false;
        (void) snprintf(map, sizeof(map), "0 %u 1", uid);
        if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
                return false;
        (void) snprintf(map, sizeof(map), "0 %u 1", gid);
        return write_text("/proc/self/gid_map", map);
}

static bool install_plugin(const char *plugin) {
        AUTO_BLOB Blob b = {};
        char path[256];

        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", crypt_token_external_path(), "tmpfs", 0, "mode=0755") < 0)
                return false;
        (void) snprintf(path, sizeof(path), "%s/libcryptsetup-token-snp-agent.so", crypt_token_external_path());
        return file_read(plugin, 64u << 20, &b, NULL) == 0 && file_write_atomic(path, b.data, b.size, 0755, NULL) == 0;
}

int main(int argc, char **argv) {
        Suite *s = suite_create("token");
        TCase *c = tcase_create("plugin");

        if (argc != 2)
                return EXIT_FAILURE;
        if (!crypt_token_external_path())
                return unit_skip("libcryptsetup has no external tokens");
        if (!enter_namespace() || !install_plugin(argv[1]))
                return unit_skip("no private mount namespace, or no token directory to mount over");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, the_volume_opens_with_the_key_of_the_agent);
        tcase_add_test(c, the_agent_learns_volume_device_token_and_cipher);
        tcase_add_loop_test(c, the_volume_stays_shut_and_the_reason_is_told, 0, (int) N_ELEMENTS(shut));
        tcase_add_test(c, the_volume_stays_shut_when_nobody_listens);
        tcase_add_loop_test(c, no_key_is_requested_for_a_forged_header, 0, (int) N_ELEMENTS(forged));
        tcase_add_test(c, a_token_of_another_type_is_left_to_others);
        tcase_add_test(c, a_malformed_token_of_our_type_asks_for_nothing);
        tcase_add_test(c, cryptsetup_refuses_to_import_a_malformed_token);
        tcase_add_test(c, luks_dump_shows_the_resource);
        suite_add_tcase(s, c);
        return unit_run(s);
}
