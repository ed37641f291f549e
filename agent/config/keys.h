/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of every key: the parser, the defaults, the documented example and the tests all read it.
 */

#include "agent/config/config.h"

typedef struct ConfigKey {
        const char *section; /* "Volume" and "Secret" stand for sections with a name behind */
        const char *name;
        size_t offset;        /* of the field in its section's struct */
        const char *fallback; /* the default, as text; NULL: the field stays empty, or the key is required */
        /* Parses @value into @field, releasing what was there. -EINVAL or -ENOENT with a sentence, -ENOMEM. */
        int (*parse)(const char *value, void *field, Error *e);
        void (*clear)(void *field); /* back to zero, releasing memory; NULL: nothing to release */
        size_t size;                /* of the field */
} ConfigKey;

extern const ConfigKey config_keys[];
extern const size_t n_config_keys;

const ConfigKey *config_key_find(const char *section, const char *name);

/* Sets the field to its default. */
WARN_UNUSED int config_key_reset(const ConfigKey *key, void *section_struct, Error *e);
/* All keys of @section. */
WARN_UNUSED int config_section_reset(const char *section, void *section_struct, Error *e);
void config_section_clear(const char *section, void *section_struct);
