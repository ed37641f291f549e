/* SPDX-License-Identifier: Apache-2.0 */
/* Stores to text attributes (drivers/virt/coco/guest/report.c): what is judged before the generation moves. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "tests/simulator/tsm-internal.h"

#define TEXT_MAX 4095   /* SIMPLE_ATTR_SIZE - 1 */
#define PRIVLEVEL_MAX 3 /* TSM_REPORT_PRIVLEVEL_MAX */
#define GUID_TEXT_SIZE 36

int sim_tsm_advance(SimTsmItem *item) {
        if (item->write_generation == item->read_generation - 1)
                return -EBUSY;
        item->write_generation++;
        return 0;
}

/* As sim_tsm_advance(), unless the machine is told to be busy. */
static int accept_write(SimTsmItem *item) {
        if (sim_platform_fail(item->tsm->platform, SIM_AT_STORE).kind == SIM_FAIL_BUSY)
                return -EBUSY;
        return sim_tsm_advance(item);
}

/* kstrtouint(text, 0, ...): decimal, 0x or octal, one newline at the end at most. */
static int parse_uint(const char *text, size_t size, uint32_t *ret) {
        char copy[TEXT_MAX + 1];
        uint64_t v = 0;
        int r;

        (void) memcpy(copy, text, size);
        if (size > 0 && copy[size - 1] == '\n')
                size--;
        copy[size] = 0;
        if (copy[0] == '0' && copy[1] >= '0' && copy[1] <= '7')
                r = text_to_u64(copy + 1, 8, 0, UINT32_MAX, &v);
        else
                r = text_to_u64(copy, 0, 0, UINT32_MAX, &v);
        *ret = (uint32_t) v;
        return r < 0 ? -EINVAL : 0;
}

static int store_privlevel(SimTsmItem *item, const char *text, size_t size) {
        uint32_t level;
        int r = parse_uint(text, size, &level);

        if (r < 0)
                return r;
        if (level < item->tsm->platform->now.vmpl_floor || level > PRIVLEVEL_MAX)
                return -EINVAL;
        r = accept_write(item);
        if (r == 0)
                item->privlevel = level;
        return r;
}

/* Anything is taken; what it is worth shows when a report is made. */
static int store_provider(SimTsmItem *item, const char *text, size_t size) {
        int r = accept_write(item);

        if (r < 0)
                return r;
        if (size > 0 && text[size - 1] == '\n')
                size--;
        (void) snprintf(item->service_provider, sizeof(item->service_provider), "%.*s", (int) size, text);
        item->has_service_provider = true;
        return 0;
}

/* guid_parse() looks at 36 characters, whatever follows; a failed one has moved the generation and left a null GUID. */
static int store_guid(SimTsmItem *item, const char *text, size_t size) {
        char digits[2 * sizeof(item->service.guid)];
        size_t n = 0;
        int r = accept_write(item);

        if (r < 0)
                return r;
        (void) memset(item->service.guid, 0, sizeof(item->service.guid));
        if (size < GUID_TEXT_SIZE)
                return -EINVAL;
        for (size_t i = 0; i < GUID_TEXT_SIZE; i++)
                if (i == 8 || i == 13 || i == 18 || i == 23) {
                        if (text[i] != '-')
                                return -EINVAL;
                } else
                        digits[n++] = text[i];
        return hex_decode_exact(digits, n, item->service.guid, sizeof(item->service.guid)) < 0 ? -EINVAL : 0;
}

static int store_version(SimTsmItem *item, const char *text, size_t size) {
        uint32_t version;
        int r = parse_uint(text, size, &version);

        if (r == 0)
                r = accept_write(item);
        if (r == 0)
                item->service.manifest_version = version;
        return r;
}

ssize_t sim_tsm_store(SimTsmItem *item, SimTsmAttribute attribute, const void *buf, size_t size) {
        int r = sim_tsm_refresh(item->tsm);

        if (r < 0)
                return r;
        if (size > TEXT_MAX)
                size = TEXT_MAX;
        if (attribute == ATTR_PRIVLEVEL)
                r = store_privlevel(item, buf, size);
        else if (attribute == ATTR_SERVICE_PROVIDER)
                r = store_provider(item, buf, size);
        else if (attribute == ATTR_SERVICE_GUID)
                r = store_guid(item, buf, size);
        else
                r = store_version(item, buf, size);
        return r < 0 ? r : (ssize_t) size;
}
