/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/hcl-file.h"

#include <assert.h>
#include <errno.h>

#include "base/hex.h"
#include "base/json.h"
#include "vtpm/hcl-binding.h"

static_assert(VTPM_HCL_REPORT_SIZE == SNP_REPORT_SIZE, "the slot is that of an SNP report");

int hcl_file_split(Blob *file, Blob *ret_hcl, Error *e) {
        AUTO_BLOB Blob report = {};
        VtpmHcl hcl;
        int r;

        if (!vtpm_hcl_is(file->data, file->size))
                return 0;
        r = vtpm_hcl_parse(file->data, file->size, &hcl, e);
        if (r < 0)
                return r;
        if (hcl.type != VTPM_HCL_SNP)
                return error_set(e, -EOPNOTSUPP, "hcl-not-snp", "The HCL report holds a report of type %s, not of SNP",
                                 vtpm_hcl_type_name(hcl.type));
        if (blob_dup(hcl.report, VTPM_HCL_REPORT_SIZE, &report) < 0)
                return error_oom(e);
        *ret_hcl = blob_take(file);
        *file = blob_take(&report);
        return 0;
}

int hcl_file_judge(const Blob *content, const SnpReport *report, HclFindings *ret, Error *e) {
        HclFindings f = { .binding.why = "the report itself does not hold, or was not verified" };
        VtpmBinding binding;
        VtpmHcl hcl;
        int r;

        r = vtpm_hcl_parse(content->data, content->size, &hcl, e);
        if (r < 0)
                return r;
        r = vtpm_hcl_bind(&(VtpmHclWitness){ .hcl = &hcl, .report_data = report->report_data, .vmpl = report->vmpl },
                          NULL, &binding, &f.why);
        if (r == -ENOMEM || r == -EIO)
                return error_set(e, r, error_reason(&f.why, r), "%s", error_text(&f.why, r));
        f.fits = r == 0;
        if (!f.fits)
                f.binding.why = binding.why;
        f.has_claims = vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &f.claims, NULL) == 0;
        *ret = f;
        return 0;
}

void hcl_file_bind(HclFindings *f) {
        if (f->fits)
                f->binding = (VtpmBinding){
                        .kind = VTPM_BINDING_HCL,
                        .why = "the report holds, and vouches for the claims that name the attestation key",
                };
}

static int add_claims(json_object *o, const VtpmHclClaims *c) {
        AUTO_JSON json_object *configuration = json_object_new_object();
        int bad = 0;

        bad |= json_add_hex(o, "ak_modulus", c->ak.modulus, c->ak.modulus_size);
        if (c->has_user_data)
                bad |= json_add_hex(o, "user_data", c->user_data, sizeof(c->user_data));
        for (VtpmHclSwitch i = 0; i < VTPM_HCL_N_SWITCHES; i++)
                if (c->switches[i] != VTPM_HCL_UNSAID)
                        bad |= json_add_bool(configuration, vtpm_hcl_switch_name(i), c->switches[i] == VTPM_HCL_YES);
        if (c->vm_id[0])
                bad |= json_add_str(configuration, "vmUniqueId", c->vm_id);
        if (c->root_cert_thumbprint[0])
                bad |= json_add_str(configuration, "root-cert-thumbprint", c->root_cert_thumbprint);
        if (c->sealing_policy[0])
                bad |= json_add_str(configuration, "hardware-sealing-policy", c->sealing_policy);
        if (c->has_time)
                bad |= json_add_u64(configuration, "current-time", c->time_sec);
        return bad < 0 ? -ENOMEM : json_add_take(o, "vm_configuration", TAKE_PTR(configuration));
}

int hcl_findings_to_json(const HclFindings *f, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "binding", vtpm_binding_name(f->binding.kind)) < 0 ||
            json_add_str(o, "why", f->binding.why) < 0 || json_add_bool(o, "claims_fit_report", f->fits) < 0 ||
            (!f->fits && json_add_str(o, "reason", error_reason(&f->why, -EKEYREJECTED)) < 0) ||
            (f->has_claims && add_claims(o, &f->claims) < 0))
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

static void print_claims(const VtpmHclClaims *c, CtlOutput *out) {
        char user_data[2 * VTPM_HCL_USER_DATA_SIZE + 1];

        hex_encode_to(c->user_data, sizeof(c->user_data), user_data);
        ctl_printf(out, "User data: %s\nMachine: %s\n", c->has_user_data ? user_data : "none, the firmware is too old",
                   c->vm_id[0] ? c->vm_id : "unnamed");
        for (VtpmHclSwitch i = 0; i < VTPM_HCL_N_SWITCHES; i++)
                ctl_printf(out, "  %s: %s\n", vtpm_hcl_switch_name(i), vtpm_hcl_flag_name(c->switches[i]));
}

void hcl_findings_print(const HclFindings *f, CtlOutput *out) {
        ctl_printf(out, "\nAzure's paravisor\nClaims: %s\nBinding: %s: %s\n",
                   f->fits ? "those that the report is over" : "not those that the report is over",
                   vtpm_binding_name(f->binding.kind), f->binding.why);
        if (f->has_claims)
                print_claims(&f->claims, out);
}
