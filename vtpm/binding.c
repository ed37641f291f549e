/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/binding.h"

const char *vtpm_binding_name(VtpmBindingKind kind) {
        switch (kind) {
        case VTPM_BINDING_HCL:
                return "azure-hcl";
        case VTPM_BINDING_SVSM:
                return "svsm-ek";
        case VTPM_BINDING_NONE:
        default:
                return "none";
        }
}
