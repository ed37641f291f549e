/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One parser for each kind of value; see ConfigKey.parse. */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define CONFIG_VALUE(name) int name(const char *value, void *field, Error *e)

CONFIG_VALUE(config_value_text);     /* char * */
CONFIG_VALUE(config_value_path);     /* char *, absolute */
CONFIG_VALUE(config_value_socket);   /* char *, absolute and short enough for an address */
CONFIG_VALUE(config_value_socket_or_none);
CONFIG_VALUE(config_value_url);      /* char *, https only */
CONFIG_VALUE(config_value_resource); /* char *, repository/type/tag */
CONFIG_VALUE(config_value_uuid);     /* char[CONFIG_UUID_SIZE] */
CONFIG_VALUE(config_value_timeout);  /* uint64_t, microseconds, 1 s to 10 min */
CONFIG_VALUE(config_value_idle);     /* uint64_t, microseconds, 0 or up to a day */
CONFIG_VALUE(config_value_interval); /* uint64_t, microseconds, 0 or up to a minute */
CONFIG_VALUE(config_value_requests); /* uint32_t */
CONFIG_VALUE(config_value_vmpl);     /* uint32_t */
CONFIG_VALUE(config_value_bool);     /* bool */
CONFIG_VALUE(config_value_source);
CONFIG_VALUE(config_value_tee);
CONFIG_VALUE(config_value_tee_key);
CONFIG_VALUE(config_value_users);
CONFIG_VALUE(config_value_units);
/* values-collateral.c */
CONFIG_VALUE(config_value_path_or_none);
CONFIG_VALUE(config_value_fetch);
CONFIG_VALUE(config_value_mirrors);
CONFIG_VALUE(config_value_authorities); /* char *, NULL for the system's */
CONFIG_VALUE(config_value_crl);
CONFIG_VALUE(config_value_pause); /* uint64_t, microseconds, 10 ms to a day */
CONFIG_VALUE(config_value_cloud); /* ConfigCollateral, because it fills two fields */

/* values.c */
CONFIG_VALUE(config_value_ak); /* ConfigTpm, because it fills two fields */
CONFIG_VALUE(config_value_ca); /* ConfigBroker, likewise */
CONFIG_VALUE(config_value_pcr); /* ConfigMeasure, likewise */

void config_clear_text(void *field);
void config_clear_units(void *field);
void config_clear_ca(void *field);
void config_clear_mirrors(void *field);
void config_clear_cloud(void *field);

/* What the parsers share. */
int config_value_bad(Error *e, const char *what); /* -EINVAL */
int config_value_choose(const char *const *names, size_t n, const char *value); /* index or -EINVAL */
/* Takes the next word of *@rest off; NULL at the end, with the end of @rest reached. */
char *config_value_next_word(char **rest);
