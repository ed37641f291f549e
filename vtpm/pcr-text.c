/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/pcr-text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"

#define NAME_SIZE 16u /* of a bank's name, or a number */

/* The next part of *@text up to one of @ends, into @ret; moves past it, and past the end mark, which it returns. */
static int next_word(const char **text, const char *ends, char ret[static NAME_SIZE]) {
        size_t len = strcspn(*text, ends);
        char end = (*text)[len];

        if (len == 0 || len >= NAME_SIZE)
                return -EINVAL;
        (void) memcpy(ret, *text, len);
        ret[len] = 0;
        *text += len + (end != 0);
        return end;
}

/* Return: the character after the list, 0 or '+', or -EINVAL. */
static int parse_pcrs(const char **text, uint32_t *ret) {
        uint32_t mask = 0;
        char word[NAME_SIZE];
        int end;

        do {
                uint64_t pcr;

                end = next_word(text, ",+", word);
                if (end < 0)
                        return end;
                if (mask == 0 && strcmp(word, "all") == 0 && end != ',') {
                        *ret = VTPM_PCR_MASK_ALL;
                        return end;
                }
                if (text_to_u64(word, 10, 0, VTPM_N_PCRS - 1, &pcr) < 0 || mask >> pcr & 1)
                        return -EINVAL;
                mask |= 1u << pcr;
        } while (end == ',');
        *ret = mask;
        return end;
}

static int bad(const char *text, Error *e) {
        return error_set(e, -EINVAL, "pcr-selection",
                         "'%.60s' is no selection of PCRs like sha256:0,1,7+sha384:all", text);
}

int vtpm_pcr_selection_parse(const char *text, VtpmPcrSelection *ret, Error *e) {
        VtpmPcrSelection s = {};
        const char *p = text;
        char name[NAME_SIZE];
        int end, r;

        do {
                VtpmPcrBank *bank = &s.banks[s.n_banks++];

                if (s.n_banks > VTPM_HASHES_MAX || next_word(&p, ":", name) != ':')
                        return bad(text, e);
                r = vtpm_hash_from_name(name, &bank->hash, e);
                if (r < 0)
                        return r;
                end = parse_pcrs(&p, &bank->mask);
                if (end < 0)
                        return bad(text, e);
        } while (end == '+');
        r = vtpm_pcr_selection_check(&s, e);
        if (r < 0)
                return r;
        *ret = s;
        return 0;
}

static size_t append(char *to, size_t size, size_t used, const char *text) {
        int n = snprintf(to + used, size - used, "%s", text);

        return (size_t) n < size - used ? used + (size_t) n : size - 1;
}

static size_t append_pcrs(char *to, size_t size, size_t used, uint32_t mask) {
        char text[NAME_SIZE];
        bool first = true;

        if (mask == VTPM_PCR_MASK_ALL)
                return append(to, size, used, "all");
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                if (!(mask >> i & 1))
                        continue;
                (void) snprintf(text, sizeof(text), "%s%u", first ? "" : ",", i);
                used = append(to, size, used, text);
                first = false;
        }
        return used;
}

void vtpm_pcr_selection_text(const VtpmPcrSelection *selection, char *ret, size_t size) {
        size_t used = 0;

        ret[0] = 0;
        for (size_t i = 0; i < selection->n_banks; i++) {
                const VtpmPcrBank *bank = &selection->banks[i];
                char name[NAME_SIZE];

                if (vtpm_hash_size(bank->hash) > 0)
                        (void) snprintf(name, sizeof(name), "%s%s:", i ? "+" : "", vtpm_hash_name(bank->hash));
                else
                        (void) snprintf(name, sizeof(name), "%s0x%04x:", i ? "+" : "", bank->hash);
                used = append(ret, size, used, name);
                used = append_pcrs(ret, size, used, bank->mask);
        }
}

int vtpm_pcr_digest_parse(const char *text, VtpmPcrDigest *ret, Error *e) {
        VtpmPcrDigest d = {};
        const char *hex = text;
        char name[NAME_SIZE];
        int r;

        if (next_word(&hex, ":", name) != ':')
                return error_set(e, -EINVAL, "pcr-digest", "'%.20s' is not of the form BANK:HEX", text);
        r = vtpm_hash_from_name(name, &d.hash, e);
        if (r < 0)
                return r;
        if (hex_decode_exact(hex, strlen(hex), d.bytes, vtpm_hash_size(d.hash)) < 0)
                return error_set(e, -EINVAL, "pcr-digest", "A digest for bank %s has %zu hex digits", name,
                                 2 * vtpm_hash_size(d.hash));
        *ret = d;
        return 0;
}
