/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One parser for each kind of value; see ConfigKey.parse. */

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
CONFIG_VALUE(config_value_source);
CONFIG_VALUE(config_value_tee);
CONFIG_VALUE(config_value_tee_key);
CONFIG_VALUE(config_value_users);
CONFIG_VALUE(config_value_units);
CONFIG_VALUE(config_value_ak); /* ConfigTpm, because it fills two fields */
CONFIG_VALUE(config_value_ca); /* ConfigBroker, likewise */

void config_clear_text(void *field);
void config_clear_units(void *field);
void config_clear_ca(void *field);
