/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a quote costs more than the same ESAPI calls made bare (quote-bare.c), by the clock, since a real TPM (swtpm) does
 * the work. All make the key, read all PCRs, quote, leave the TPM clean and close it. Compared is with calls through a
 * process for the TCTI, as ours go, so that the ratio is the library's doing; what that process costs is told beside it.
 *
 *     quote-rsa    RSA-2048, RSASSA
 *     quote-ecc    P-256, ECDSA
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/quote-bare.h"
#include "tests/integration/swtpm.h"
#include "vtpm/quote.h"

#define ROUNDS 15
#define AT_ONCE 8

static Swtpm tpm;

static void must(bool ok, const char *what) {
        if (ok)
                return;
        (void) fprintf(stderr, "bench-quote: %s failed\n", what);
        swtpm_stop(&tpm);
        exit(EXIT_FAILURE);
}

static void ours(bool ecc) {
        static const uint8_t nonce[32];
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        const VtpmQuoteRequest q = {
                .tcti = tpm.tcti,
                .ak = { .kind = ecc ? VTPM_AK_ECDSA_P256 : VTPM_AK_RSASSA },
                .nonce = nonce,
                .nonce_size = sizeof(nonce),
                .pcrs = { 1, { { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } } },
                .deadline = deadline_in(60 * USEC_PER_SEC),
        };
        Error e = {};
        int r = vtpm_quote_run(&q, &quote, &e);

        must(r == 0, error_text(&e, r));
}

typedef enum Way {
        OURS,
        BARE,
        IN_PROCESS,
        N_WAYS,
} Way;

/* Several at once: swtpm still works when a client has gone, and the next one waits for that. */
static double timed(Way way, bool ecc) {
        uint64_t begin = now_monotonic_usec();

        for (unsigned i = 0; i < AT_ONCE; i++)
                if (way == OURS)
                        ours(ecc);
                else
                        must(quote_bare(tpm.tcti, way == BARE ? QUOTE_TRANSPORT : QUOTE_IN_PROCESS, ecc), "bare quote");
        return (double) (now_monotonic_usec() - begin) / AT_ONCE;
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
        qsort(values, ROUNDS, sizeof(values[0]), compare);
        return values[ROUNDS / 2];
}

static void measure(const char *name, bool ecc) {
        double usec[N_WAYS][ROUNDS], ratios[ROUNDS], model[ROUNDS];

        for (size_t i = 0; i < ROUNDS; i++) {
                for (size_t k = 0; k < N_WAYS; k++) {
                        Way way = (Way) ((i + k) % N_WAYS); /* none is always the first */

                        usec[way][i] = timed(way, ecc);
                }
                ratios[i] = usec[OURS][i] / usec[BARE][i];
                model[i] = usec[OURS][i] / usec[IN_PROCESS][i];
        }
        printf("%s: %.0f us, bare %.0f us, bare without a process for the TCTI %.0f us: %.2f of that (medians of %d)\n",
               name, median(usec[OURS]), median(usec[BARE]), median(usec[IN_PROCESS]), median(model), ROUNDS);
        printf("%s ratio=%.3f goal=%.2f\n", name, median(ratios), 1.10);
}

int main(void) {
        if (!swtpm_available()) {
                printf("bench-quote: swtpm is not installed, skipped\n");
                return EXIT_SUCCESS;
        }
        (void) setenv("TSS2_LOG", "all+none", 0);
        must(swtpm_start(NULL, &tpm) == 0, "swtpm");
        measure("quote-rsa", false);
        measure("quote-ecc", true);
        swtpm_stop(&tpm);
        return EXIT_SUCCESS;
}
