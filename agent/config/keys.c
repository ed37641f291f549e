/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/keys.h"

#include <errno.h>
#include <string.h>

#include "agent/config/values.h"

#define KEY(section_, type, field, name_, fallback_, parse_, clear_)                                                   \
        { .section = (section_), .name = (name_), .offset = offsetof(type, field), .fallback = (fallback_),           \
          .parse = (parse_), .clear = (clear_), .size = sizeof(((type *) NULL)->field) }
#define TEXT(section, type, field, name, fallback, parse)                                                              \
        KEY(section, type, field, name, fallback, parse, config_clear_text)
#define PLAIN(section, type, field, name, fallback, parse) KEY(section, type, field, name, fallback, parse, NULL)
/* For values that fill several fields, the parser is given the whole section. */
#define WHOLE(section_, type, name_, fallback_, parse_, clear_)                                                        \
        { .section = (section_), .name = (name_), .fallback = (fallback_), .parse = (parse_), .clear = (clear_) }

const ConfigKey config_keys[] = {
        TEXT("Attester", ConfigAttester, socket, "Socket", "/run/snp-agent/attester.sock", config_value_socket),
        PLAIN("Attester", ConfigAttester, source, "Source", "auto", config_value_source),
        TEXT("Attester", ConfigAttester, tsm_path, "TsmPath", "/sys/kernel/config/tsm/report", config_value_path),
        TEXT("Attester", ConfigAttester, device_path, "DevicePath", "/dev/sev-guest", config_value_path),
        PLAIN("Attester", ConfigAttester, vmpl, "Vmpl", "auto", config_value_vmpl),
        PLAIN("Attester", ConfigAttester, idle_timeout_usec, "IdleTimeout", "30s", config_value_idle),
        PLAIN("Attester", ConfigAttester, request_timeout_usec, "RequestTimeout", "60s", config_value_timeout),
        PLAIN("Attester", ConfigAttester, report_interval_usec, "ReportInterval", "2s", config_value_interval),
        PLAIN("Attester", ConfigAttester, allow_users, "AllowUser", NULL, config_value_users),
        PLAIN("Attester", ConfigAttester, key_users, "DeriveKeyUser", NULL, config_value_users),

        TEXT("Tpm", ConfigTpm, tcti, "Tcti", NULL, config_value_text),
        WHOLE("Tpm", ConfigTpm, "Ak", "ecc-p256", config_value_ak, NULL),
        TEXT("Tpm", ConfigTpm, event_log, "EventLog", "/sys/kernel/security/tpm0/binary_bios_measurements",
             config_value_path),

        WHOLE("Measure", ConfigMeasure, "Pcr", "none", config_value_pcr, NULL),
        TEXT("Measure", ConfigMeasure, directory, "Directory", "/run/snp-attester", config_value_path),
        PLAIN("Measure", ConfigMeasure, configuration, "Configuration", "yes", config_value_bool),
        PLAIN("Measure", ConfigMeasure, releases, "Releases", "yes", config_value_bool),

        TEXT("Broker", ConfigBroker, url, "URL", NULL, config_value_url),
        WHOLE("Broker", ConfigBroker, "CA", NULL, config_value_ca, config_clear_ca),
        PLAIN("Broker", ConfigBroker, tee, "Tee", "snp", config_value_tee),
        PLAIN("Broker", ConfigBroker, tee_key, "TeeKey", "ec-p256", config_value_tee_key),
        PLAIN("Broker", ConfigBroker, request_timeout_usec, "RequestTimeout", "30s", config_value_timeout),
        PLAIN("Broker", ConfigBroker, deadline_usec, "Deadline", "60s", config_value_timeout),

        TEXT("Trust", ConfigTrust, test_root, "TestRoot", NULL, config_value_path),

        TEXT("Agent", ConfigAgent, socket, "Socket", "/run/snp-agent/agent.sock", config_value_socket),
        TEXT("Agent", ConfigAgent, rest_socket, "RestSocket", "/run/snp-agent/rest.sock",
             config_value_socket_or_none),
        PLAIN("Agent", ConfigAgent, max_requests, "MaxRequests", "64", config_value_requests),
        PLAIN("Agent", ConfigAgent, evidence_users, "EvidenceUser", NULL, config_value_users),

        PLAIN("Collateral", ConfigCollateral, fetch, "Fetch", "background", config_value_fetch),
        TEXT("Collateral", ConfigCollateral, cache, "Cache", "/var/lib/snp-agent/collateral",
             config_value_path_or_none),
        KEY("Collateral", ConfigCollateral, kds, "Kds", "https://kdsintf.amd.com", config_value_mirrors,
            config_clear_mirrors),
        TEXT("Collateral", ConfigCollateral, kds_ca, "KdsCA", "system", config_value_authorities),
        WHOLE("Collateral", ConfigCollateral, "CloudEndpoint", "auto", config_value_cloud, config_clear_cloud),
        PLAIN("Collateral", ConfigCollateral, crl, "Crl", "soft", config_value_crl),
        PLAIN("Collateral", ConfigCollateral, request_timeout_usec, "RequestTimeout", "15s", config_value_timeout),
        PLAIN("Collateral", ConfigCollateral, deadline_usec, "Deadline", "2min", config_value_timeout),
        PLAIN("Collateral", ConfigCollateral, pause_usec, "Pause", "10s", config_value_pause),
        PLAIN("Collateral", ConfigCollateral, retry_usec, "Retry", "10min", config_value_pause),

        PLAIN("Volume", ConfigVolume, uuid, "UUID", NULL, config_value_uuid),
        TEXT("Volume", ConfigVolume, resource, "Resource", NULL, config_value_resource),

        TEXT("Secret", ConfigSecret, resource, "Resource", NULL, config_value_resource),
        PLAIN("Secret", ConfigSecret, users, "User", NULL, config_value_users),
        KEY("Secret", ConfigSecret, units, "Unit", NULL, config_value_units, config_clear_units),
};
const size_t n_config_keys = N_ELEMENTS(config_keys);

const ConfigKey *config_key_find(const char *section, const char *name) {
        for (size_t i = 0; i < n_config_keys; i++)
                if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
                        return &config_keys[i];
        return NULL;
}

static void clear(const ConfigKey *key, void *section_struct) {
        uint8_t *field = (uint8_t *) section_struct + key->offset;

        if (key->clear)
                key->clear(field);
        if (key->size > 0)
                (void) memset(field, 0, key->size);
}

int config_key_reset(const ConfigKey *key, void *section_struct, Error *e) {
        clear(key, section_struct);
        if (!key->fallback)
                return 0;
        return key->parse(key->fallback, (uint8_t *) section_struct + key->offset, e);
}

int config_section_reset(const char *section, void *section_struct, Error *e) {
        for (size_t i = 0; i < n_config_keys; i++) {
                int r = 0;

                if (strcmp(config_keys[i].section, section) == 0)
                        r = config_key_reset(&config_keys[i], section_struct, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

void config_section_clear(const char *section, void *section_struct) {
        for (size_t i = 0; i < n_config_keys; i++)
                if (strcmp(config_keys[i].section, section) == 0)
                        clear(&config_keys[i], section_struct);
}
