/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the operator configured, for both daemons: one systemd-style ini file, snp-agent.conf, with drop-ins.
 * Strict: an unknown section or key, a key given twice in one file, or a value that is not right is an error
 * that names file and line, and nothing of the configuration is used then.
 *
 * Where it stands, highest priority first: /etc/snp-agent, /run/snp-agent, /usr/lib/snp-agent. The first
 * snp-agent.conf found is read, then every snp-agent.conf.d/NAME.conf in order of NAME, each from the first
 * directory that has it. Among files the last one to name a key decides; an empty value stands for the default.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Limits. A configuration is small; what is larger is a mistake. */
#define CONFIG_FILE_SIZE_MAX (64u * 1024u)
#define CONFIG_DROP_INS_MAX 64
#define CONFIG_NAME_MAX 40    /* of a volume or secret; inih cuts section names at 49 */
#define CONFIG_VOLUMES_MAX 64
#define CONFIG_SECRETS_MAX 256
#define CONFIG_LIST_MAX 16    /* users or units in one list */
#define CONFIG_MIRRORS_MAX 8  /* addresses of AMD's key distribution service */
#define CONFIG_SOCKET_PATH_MAX 107
#define CONFIG_UUID_SIZE 37   /* with its NUL */

typedef enum ConfigSource {
        CONFIG_SOURCE_AUTO,
        CONFIG_SOURCE_CONFIGFS_TSM,
        CONFIG_SOURCE_SEV_GUEST,
        CONFIG_SOURCE_AZURE, /* the paravisor's vTPM */
} ConfigSource;

typedef enum ConfigAk {
        CONFIG_AK_RSA2048,
        CONFIG_AK_ECC_P256,
        CONFIG_AK_ECC_P384,
        CONFIG_AK_AZURE, /* what that cloud has put into its TPMs */
        CONFIG_AK_GCP_RSA,
        CONFIG_AK_GCP_ECC,
        CONFIG_AK_AUTO,   /* one of these where there is one, else RSA-2048 */
        CONFIG_AK_HANDLE, /* a persistent key that the platform provides */
} ConfigAk;

typedef enum ConfigTee {
        CONFIG_TEE_SNP,
        CONFIG_TEE_AZ_SNP_VTPM,
} ConfigTee;

typedef enum ConfigTeeKey {
        CONFIG_TEE_KEY_EC_P256,
        CONFIG_TEE_KEY_EC_P384,
        CONFIG_TEE_KEY_EC_P521,
        CONFIG_TEE_KEY_RSA_OAEP_256,
        CONFIG_TEE_KEY_RSA_OAEP,
} ConfigTeeKey;

typedef enum ConfigFetch {
        CONFIG_FETCH_NEVER,
        CONFIG_FETCH_BACKGROUND,
} ConfigFetch;

typedef enum ConfigCloud {
        CONFIG_CLOUD_AUTO, /* by what the firmware says of the machine */
        CONFIG_CLOUD_NONE,
        CONFIG_CLOUD_THIM,
} ConfigCloud;

typedef enum ConfigCrl {
        CONFIG_CRL_OFF,
        CONFIG_CRL_SOFT,
        CONFIG_CRL_HARD,
} ConfigCrl;

typedef struct ConfigMirrors {
        char *urls[CONFIG_MIRRORS_MAX]; /* owned */
        size_t n;
        bool none; /* never asked, also not at its usual address */
} ConfigMirrors;

typedef struct ConfigUsers {
        uid_t uids[CONFIG_LIST_MAX];
        size_t n;
} ConfigUsers;

typedef struct ConfigUnits {
        char *names[CONFIG_LIST_MAX]; /* owned; whole unit names, no patterns */
        size_t n;
} ConfigUnits;

/* Where a section began, for errors that concern it as a whole. */
typedef struct ConfigPlace {
        char *file; /* owned */
        unsigned line;
} ConfigPlace;

typedef struct ConfigVolume {
        char *name;
        ConfigPlace place;
        char uuid[CONFIG_UUID_SIZE]; /* lower case */
        char *resource;              /* "repository/type/tag" */
} ConfigVolume;

typedef struct ConfigSecret {
        char *name;
        ConfigPlace place;
        char *resource;
        ConfigUsers users;
        ConfigUnits units;
} ConfigSecret;

typedef struct ConfigAttester {
        char *socket;
        ConfigSource source;
        char *tsm_path;
        char *device_path;
        uint32_t vmpl;              /* 0..3 or UINT32_MAX: the kernel's own */
        uint64_t idle_timeout_usec; /* 0: never leave */
        uint64_t request_timeout_usec;
        uint64_t report_interval_usec; /* between requests to the platform, on average; 0: no limit */
        ConfigUsers allow_users; /* besides root and the daemon's own user */
        ConfigUsers key_users;   /* who may have keys derived: nobody besides, not even root */
} ConfigAttester;

typedef struct ConfigTpm {
        char *tcti; /* NULL: no TPM */
        ConfigAk ak;
        uint32_t ak_handle; /* with CONFIG_AK_HANDLE */
        char *event_log;    /* of the firmware, as the kernel hands it out */
} ConfigTpm;

typedef struct ConfigMeasure {
        bool enabled;
        uint32_t pcr;
        char *directory; /* of the log */
        bool configuration, releases;
        ConfigPlace place;
} ConfigMeasure;

typedef struct ConfigBroker {
        char *url;     /* NULL: no broker */
        char *ca_file; /* NULL together with use_system_ca */
        bool use_system_ca;
        ConfigTee tee;
        ConfigTeeKey tee_key;
        uint64_t request_timeout_usec;
        uint64_t deadline_usec;
        ConfigPlace place;
} ConfigBroker;

typedef struct ConfigTrust {
        char *test_root; /* NULL: AMD's roots */
} ConfigTrust;

typedef struct ConfigCollateral {
        ConfigFetch fetch;
        char *cache; /* directory; NULL: none */
        ConfigMirrors kds;
        char *kds_ca; /* NULL: the system's authorities */
        ConfigCloud cloud;
        char *cloud_url; /* with CONFIG_CLOUD_THIM; NULL: the usual address */
        ConfigCrl crl;
        uint64_t request_timeout_usec;
        uint64_t deadline_usec; /* of one attempt with all its requests and pauses */
        uint64_t pause_usec;    /* within an attempt: the first one */
        uint64_t retry_usec;    /* between attempts */
} ConfigCollateral;

typedef struct ConfigAgent {
        char *socket;
        char *rest_socket; /* NULL: no REST door */
        uint32_t max_requests;
        ConfigUsers evidence_users; /* besides root */
} ConfigAgent;

#define CONFIG_DIGEST_SIZE 32

typedef struct Config {
        /* SHA-256 chained over the files read: digest = H(digest || H(file)), from zeros. */
        uint8_t digest[CONFIG_DIGEST_SIZE];
        ConfigAttester attester;
        ConfigTpm tpm;
        ConfigMeasure measure;
        ConfigBroker broker;
        ConfigTrust trust;
        ConfigAgent agent;
        ConfigCollateral collateral;
        ConfigVolume *volumes;
        size_t n_volumes;
        ConfigSecret *secrets;
        size_t n_secrets;
} Config;

/* @file: read it and @file.d/ only, and it must exist; NULL: the directories above, where nothing need exist. */
WARN_UNUSED int config_load(const char *file, Config **ret, Error *e);
/* As config_load(NULL) with other directories, highest priority first. */
WARN_UNUSED int config_load_dirs(const char *const *dirs, size_t n_dirs, Config **ret, Error *e);
/* One file's bytes alone; @name stands for it in errors. */
WARN_UNUSED int config_parse(const char *name, const void *data, size_t size, Config **ret, Error *e);
void config_free(Config *config);
DEFINE_CLEANUP(Config *, config_free);

const ConfigVolume *config_find_volume(const Config *config, const char *uuid, size_t uuid_len);
const ConfigSecret *config_find_secret(const Config *config, const char *resource);

bool config_users_have(const ConfigUsers *users, uid_t uid);
bool config_units_have(const ConfigUnits *units, const char *unit);
